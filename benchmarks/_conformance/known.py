"""What is known of the tests of requests and of requests-cache, and of each engine in them.

A test is named by its id. What an engine fails, and what it leaves alone, stands here with the
reason; `conformance.py` refuses both a failure that is missing and one that is there no more.
What no engine is asked, since the tests fail without one as well, stands here too.
"""

from __future__ import annotations

REQUESTS = "tests/test_requests.py"
LOWLEVEL = "tests/test_lowlevel.py"
TESTSERVER = "tests/test_testserver.py::TestTestServer"
POOLS = f"{REQUESTS}::TestPreparingURLs::test_different_connection_pool_for_tls_settings_verify"
PROXY = f"{LOWLEVEL}::test_use_proxy_from_environment"

# They ask an address that is far away and silent, and wait for it to be so.
TOO_FAR = (
    f"{REQUESTS}::TestTimeout::test_connect_timeout",
    f"{REQUESTS}::TestTimeout::test_total_timeout_connect",
)

# These take a second or more, or make the one thread of the test server sleep for ten, so that
# the next ones wait for that; or they are one of many that are alike.
SLOW = (
    f"{REQUESTS}::TestTimeout::test_stream_timeout",
    f"{REQUESTS}::TestTimeout::test_read_timeout",
    f"{POOLS}_bundle_unexpired_cert",
    f"{POOLS}_bundle_expired_cert",
    f"{LOWLEVEL}::test_json_decode_compatibility_for_alt_utf_encodings",
    f"{LOWLEVEL}::test_digestauth_401_count_reset_on_redirect",
    f"{LOWLEVEL}::test_fragment_update_on_redirect",
    f"{TESTSERVER}::test_server_finishes_on_error",
    f"{TESTSERVER}::test_server_finishes_when_no_connections",
    f"{TESTSERVER}::test_multiple_requests",
    f"{TESTSERVER}::test_basic_waiting_server",
    f"{TESTSERVER}::test_request_recovery_with_bigger_timeout",
    f"{TESTSERVER}::test_requests_after_timeout_are_not_received",
    f"{PROXY}[https_proxy-https]",
    f"{PROXY}[all_proxy-http]",
    f"{PROXY}[all_proxy-https]",
    f"{PROXY}[HTTP_PROXY-http]",
    f"{PROXY}[ALL_PROXY-http]",
    f"{PROXY}[ALL_PROXY-https]",
)

NO_KEEP_ALIVE = (
    "It answers several requests on one connection, and Tornado's simple client closes each."
)
KNOWN: dict[str, dict[str, str]] = {
    "stock": {},
    "simple": {
        f"{LOWLEVEL}::test_digestauth_401_count_reset_on_redirect": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_digestauth_401_only_sent_once": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_redirect_rfc1808_to_non_ascii_location": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_fragment_update_on_redirect": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_chunked_encoding_error": (
            "The answer ends within its headers. Tornado's simple client tells of none before "
            "all have come, so nobody knows that the body was to come in chunks."
        ),
    },
    "curl": {},
    "sockets": {},
}

# They mount an HTTPAdapter with settings of its own, over which these engines put nothing. It
# blocks, and says so.
SETTINGS = {
    f"{REQUESTS}::test_urllib3_retries",
    f"{REQUESTS}::test_urllib3_pool_connection_closed",
}
LEFT_ALONE: dict[str, set[str]] = {"simple": SETTINGS, "curl": SETTINGS, "sockets": set()}

# -- requests-cache ----------------------------------------------------------------------------

BASE_CACHE = "tests/unit/test_base_cache.py"
SESSION = "tests/unit/test_session.py"
MOCKED = "http+mock://requests-cache.com"

# They travel in time with a package that is not among ours. Without it their own set-up lets
# the time be as it is, and then nothing expires that they say has expired.
TRAVELS = (
    f"{BASE_CACHE}::test_delete__expired",
    f"{BASE_CACHE}::test_delete__expired__per_request",
    f"{BASE_CACHE}::test_delete__older_than",
    f"{SESSION}::test_expired_request_error[{MOCKED}/text]",
    f"{SESSION}::test_expired_request_error[{MOCKED}/etag]",
    f"{SESSION}::test_stale_if_error__exception[{MOCKED}/text]",
    f"{SESSION}::test_stale_if_error__exception[{MOCKED}/etag]",
    f"{SESSION}::test_stale_if_error__error_code[{MOCKED}/200-404]",
    f"{SESSION}::test_stale_if_error__error_code[{MOCKED}/etag-200-404]",
    f"{SESSION}::test_stale_if_error__error_code_in_allowable_codes[{MOCKED}/200-404]",
    f"{SESSION}::test_stale_if_error__error_code_in_allowable_codes[{MOCKED}/etag-200-404]",
    f"{SESSION}::test_request_expire_after__enable_expiration",
    f"{SESSION}::test_request_expire_after__prepared_request",
    f"{SESSION}::test_request_only_if_cached__expired",
    f"{SESSION}::test_request_only_if_cached__stale_if_error__expired",
    f"{SESSION}::test_read_only__expired_response",
)

# A key of the cache is written into it, and what computes the key computes another one.
OTHER_KEY = (f"{SESSION}::test_response_defaults",)

# They make requests in threads of their own, where no loop runs, and waiting in the thread is
# right.
IN_THREADS = {
    f"tests/integration/test_{where}::test_concurrency[{number}-ThreadPoolExecutor]"
    for where in (
        "memory.py::TestMemoryCache",
        "sqlite.py::TestSQLiteCache",
        "filesystem.py::TestFileCache",
    )
    for number in range(4)
}
