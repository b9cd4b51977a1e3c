# Tests of random streams, state, initializers, optimizers, losses, memory. Included by this folder's CMakeLists.txt.
foreach(name allocator_test initializer_test loss_test optimizer_test random_test state_test)
  modelhop_test(engine ${name} LINKS modelhop_engine nlohmann_json::nlohmann_json)
endforeach()
