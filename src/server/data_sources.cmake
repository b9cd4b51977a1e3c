list(APPEND server_sources
  functions/column_values.cpp
  functions/name.cpp
  functions/inspect.cpp
  functions/pack.cpp)
# Those that read architectures and parameters.
if(TARGET modelhop_spec AND TARGET modelhop_selection)
  list(APPEND server_sources
    functions/keras_model.cpp
    functions/selection.cpp)
endif()
