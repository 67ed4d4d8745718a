{
  "targets": [
    {
      # The addon as it is, but with kill steps, for test/kill-steps.
      "target_name": "zoosync",
      "sources": [
        "kill_hook.cc",
        "<!@(node -p \"fs.readdirSync('../../addon').filter((f) => f.endsWith('.cc')).map((f) => '../../addon/' + f).join(' ')\")"
      ],
      "include_dirs": ["../..", "<!(node -p \"require('node-addon-api').include_dir\")"],
      # With mutations: ZOO_MUTATION=n shows whether the test would find that fault.
      "defines": ["NAPI_VERSION=8", "ZOO_KILL_STEPS=1", "ZOO_MUTATIONS=1"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-std=gnu++23", "-O3", "-O2"],
      "cflags!": ["-O3", "-O2"],
      # Fast to compile: it runs for seconds.
      "cflags_cc": ["-std=c++17", "-O0", "-g0", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "ldflags": ["-Wl,-z,nodelete", "-Wl,-z,noexecstack"],
      "libraries": ["-lrt", "-lpthread"]
    }
  ]
}
