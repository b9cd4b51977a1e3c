# The loadable module: a shared library without prefix that shows only the symbols of exports.map and takes the
# server's own symbols from the program that loads it.

# modelhop_module(TARGET OUTPUT SOURCES... LINKS targets...)
function(modelhop_module target output)
  cmake_parse_arguments(module "" "" "SOURCES;LINKS" ${ARGN})
  set(exports "${PROJECT_SOURCE_DIR}/cmake/exports.map")
  add_library(${target} MODULE ${module_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME "${output}" LINK_DEPENDS "${exports}")
  target_link_options(${target} PRIVATE "LINKER:--version-script=${exports}")
  target_link_libraries(${target} PRIVATE ${module_LINKS} PostgreSQL::Server)
  install(TARGETS ${target} LIBRARY DESTINATION "${PG_PKGLIBDIR}")
endfunction()
