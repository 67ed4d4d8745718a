// Memory that was freed is kept aside by the address sanitizer, and copied in every fork: little of
// it is enough here, and the tests fork thousands of times.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=2"; }
