# Finds the server's headers and folders through pg_config and makes PostgreSQL::Server.
# Choose another server with -DPG_CONFIG=/path/to/pg_config.
find_program(PG_CONFIG pg_config PATHS /usr/lib/postgresql/15/bin)
if(PG_CONFIG)
  foreach(item INCLUDEDIR-SERVER PKGLIBDIR SHAREDIR BINDIR PKGINCLUDEDIR VERSION)
    string(TOLOWER ${item} flag)
    string(REPLACE - _ variable ${item})
    execute_process(COMMAND "${PG_CONFIG}" --${flag} OUTPUT_VARIABLE PG_${variable} OUTPUT_STRIP_TRAILING_WHITESPACE)
  endforeach()
  execute_process(COMMAND "${PG_CONFIG}" --pgxs OUTPUT_VARIABLE PG_PGXS OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()

include(FindPackageHandleStandardArgs)
if(NOT EXISTS "${PG_INCLUDEDIR_SERVER}/postgres.h")
  set(PG_INCLUDEDIR_SERVER "")
endif()
find_package_handle_standard_args(PostgreSQLServer
  REQUIRED_VARS PG_CONFIG PG_INCLUDEDIR_SERVER PG_PKGLIBDIR PG_SHAREDIR VERSION_VAR PG_VERSION
  REASON_FAILURE_MESSAGE "install postgresql-server-dev-15 or pass -DPG_CONFIG=")

if(PostgreSQLServer_FOUND AND NOT TARGET PostgreSQL::Server)
  add_library(PostgreSQL::Server INTERFACE IMPORTED)
  set_target_properties(PostgreSQL::Server PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${PG_INCLUDEDIR_SERVER};${PG_PKGINCLUDEDIR}")
endif()
