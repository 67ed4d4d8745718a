{
  "targets": [
    {
      "target_name": "zoosync",
      "sources": [
        "native/addon/module.cc",
        "native/addon/environment.cc",
        "native/addon/leftovers.cc",
        "native/addon/queue_binding.cc",
        "native/addon/queue_stats.cc",
        "native/addon/lock_binding.cc",
        "native/addon/memory_binding.cc",
        "native/addon/parent_watch.cc",
        "native/addon/values.cc",
        "native/addon/warm_memory.cc"
      ],
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8"],
      # Other versions of Node bring other standards and options: these hold for all of them.
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-std=gnu++23"],
      "cflags_cc": [
        "-std=c++17",
        "-O3",
        "-Wall",
        "-Wextra",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden"
      ],
      # nodelete: code of the addon may still run while a worker thread unloads it.
      "ldflags": ["-Wl,-z,nodelete", "-Wl,-z,noexecstack"],
      "libraries": ["-lrt", "-lpthread"]
    }
  ]
}
