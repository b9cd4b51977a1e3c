list(APPEND server_sources
  bridge.cpp
  module.cpp
  packed_table.cpp
  query.cpp
  row_writer.cpp
  segment_feed.cpp
  segment_list.cpp
  settings.cpp
  table_name.cpp
  trainer_client.cpp
  trainer_worker.cpp
  functions/check_install.cpp
  functions/progress.cpp
  functions/train_segment.cpp
  functions/version.cpp)
