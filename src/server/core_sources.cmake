list(APPEND server_sources
  bridge.cpp
  module.cpp
  query.cpp
  settings.cpp
  table_name.cpp
  functions/version.cpp)
