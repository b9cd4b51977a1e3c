# A room is a folder under src/ with one target. Its headers are included as "room/header.hpp", and only
# targets that link the room can do so: each room's include folder holds a link to that room alone.

# modelhop_room(NAME SOURCES... LINKS targets...): static library modelhop_NAME from src/NAME.
function(modelhop_room name)
  cmake_parse_arguments(room "" "" "SOURCES;LINKS" ${ARGN})
  add_library(modelhop_${name} STATIC ${room_SOURCES})
  modelhop_room_headers(${name} modelhop_${name})
  target_link_libraries(modelhop_${name} PUBLIC modelhop_include ${room_LINKS})
endfunction()

# Makes the headers of src/NAME visible to TARGET and to whoever links it.
function(modelhop_room_headers name target)
  set(view "${PROJECT_BINARY_DIR}/rooms/${name}")
  file(MAKE_DIRECTORY "${view}")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/src/${name}" "${view}/${name}" SYMBOLIC)
  target_include_directories(${target} PUBLIC "${view}")
endfunction()

# modelhop_test(ROOM NAME LINKS targets...): GoogleTest program test/ROOM/NAME.cpp, known to ctest by that path.
function(modelhop_test room name)
  cmake_parse_arguments(test "" "" "LINKS" ${ARGN})
  set(target test_${room}_${name})
  add_executable(${target} ${name}.cpp)
  target_link_libraries(${target} PRIVATE ${test_LINKS} GTest::gtest GTest::gtest_main Threads::Threads)
  add_test(NAME test/${room}/${name} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}/test/${room}")
  set_tests_properties(test/${room}/${name} PROPERTIES TIMEOUT 600 LABELS unit)
endfunction()
