// What the sanitizers have to be told about these tests.

// Memory that was freed is kept aside by the address sanitizer, and copied in every fork: little of
// it is enough here, and the tests fork thousands of times.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=2"; }

// The thread sanitizer does not know that a timed lock that answers EOWNERDEAD is held, and takes
// the unlock that follows for one without a lock.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "mutex:zoo::RobustMutex::unlock\n"; }
