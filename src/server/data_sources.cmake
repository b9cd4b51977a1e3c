list(APPEND server_sources
  functions/column_values.cpp
  functions/name.cpp
  functions/inspect.cpp
  functions/pack.cpp
  functions/plot.cpp
  svg.cpp)
# Those that read architectures and parameters, and draw configurations.
if(TARGET modelhop_spec)
  list(APPEND server_sources functions/keras_model.cpp)
endif()
if(TARGET modelhop_spec AND TARGET modelhop_selection)
  list(APPEND server_sources functions/selection.cpp)
endif()
