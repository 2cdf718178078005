"""Which tests of requests and of other libraries an engine fails, passes by, or is not given.

A test is named by its id in pytest. A failure stands here with its reason; `conformance.py`
refuses one that does not stand here, and one that stands here and does not happen.
"""

from __future__ import annotations

REQUESTS = "tests/test_requests.py"
LOWLEVEL = "tests/test_lowlevel.py"
TESTSERVER = "tests/test_testserver.py::TestTestServer"
POOLS = f"{REQUESTS}::TestPreparingURLs::test_different_connection_pool_for_tls_settings_verify"
PROXY = f"{LOWLEVEL}::test_use_proxy_from_environment"

# They connect to an address outside of this machine that never answers, and wait for a timeout.
OUTSIDE = (
    f"{REQUESTS}::TestTimeout::test_connect_timeout",
    f"{REQUESTS}::TestTimeout::test_total_timeout_connect",
)

# They take a second or more, or repeat what another test does in another way.
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
# For each engine the tests that it fails, with the reason.
KNOWN: dict[str, dict[str, str]] = {
    "stock": {},
    "simple": {
        f"{LOWLEVEL}::test_digestauth_401_count_reset_on_redirect": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_digestauth_401_only_sent_once": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_redirect_rfc1808_to_non_ascii_location": NO_KEEP_ALIVE,
        f"{LOWLEVEL}::test_fragment_update_on_redirect": NO_KEEP_ALIVE,
    },
    "curl": {},
    "sockets": {},
}

# -- requests-cache ----------------------------------------------------------------------------

BASE_CACHE = "tests/unit/test_base_cache.py"
SESSION = "tests/unit/test_session.py"
MOCKED = "http+mock://requests-cache.com"

# They move the clock with a package that is not installed here. Without it their own set-up
# leaves the clock as it is, and what they expect to have expired has not.
CLOCK_MOVED = (
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

# It expects a key of the cache that is written into it, and requests-cache computes another
# one, without an engine too.
WRONG_KEY = (f"{SESSION}::test_response_defaults",)

# They make requests in threads of their own. No loop runs there, and a request may block.
IN_THREADS = {
    f"tests/integration/test_{where}::test_concurrency[{number}-ThreadPoolExecutor]"
    for where in (
        "memory.py::TestMemoryCache",
        "sqlite.py::TestSQLiteCache",
        "filesystem.py::TestFileCache",
    )
    for number in range(4)
}

# -- the other libraries -----------------------------------------------------------------------

# They have threads of their own for minutes, and ask nobody.
BUSY_THREADS = ("responses/tests/test_multithreading.py",)

# They post a file that is not in vcrpy's archive.
NOT_IN_ARCHIVE = (
    "tests/integration/test_requests.py::test_post_file[http]",
    "tests/integration/test_requests.py::test_post_file[https]",
)

# google-auth gives a client certificate to a session only if its adapter is an HTTPAdapter, and
# no subclass.
MTLS = "tests/transport/test_requests.py::TestRequestResponse::test_mtls"
VERY_CLASS = (
    "It looks for an adapter whose class is HTTPAdapter itself, and ours is a subclass."
)
RECOVERS = f"{MTLS}_cert_error_raises_transport_error_and_recovers"
INVALID = r"-----BEGIN CERTIFICATE-----\ninvalid\n-----END CERTIFICATE-----\n"
KNOWN_OF_GOOGLE_AUTH = dict.fromkeys(
    ("simple", "curl", "sockets"),
    dict.fromkeys(
        (
            f"{MTLS}_origin_mount_and_reuse[https://iamcredentials.mtls.googleapis.com/]",
            f"{MTLS}_no_cert_caches_unavailable",
            f"{RECOVERS}[None-FileNotFoundError]",
            f"{RECOVERS}[invalid-ClientCertError]",
            f"{RECOVERS}[{INVALID}-MutualTLSChannelError]",
            f"{MTLS}_deepcopy",
            f"{MTLS}_pickle",
            f"{MTLS}_legacy_pickle",
            f"{MTLS}_request_verify_false",
        ),
        VERY_CLASS,
    ),
)

# A body in chunks, which the server does not read: it may have closed before all was sent.
RACES = ("tests/integration/test_requests.py::test_post_chunked_binary",)

# While a recorder is at work, a thread sends as requests does.
SAYS_CLOSE = (
    "The server tells which headers came, and the simple client has sent Connection: close."
)
KNOWN_OF_VCRPY = {
    "simple": dict.fromkeys(
        (
            f"tests/integration/test_requests.py::test_gzip__decode_compressed_response_true[{http}]"
            for http in ("http", "https")
        ),
        SAYS_CLOSE,
    )
}

# What those tests of HTTPie are about that make requests.
HTTPIE = (
    "auth",
    "auth_plugins",
    "binary",
    "compress",
    "cookie",
    "cookie_on_redirects",
    "downloads",
    "httpie",
    "redirects",
    "ssl",
    "stream",
    "transport_plugin",
    "uploads",
)

# Processes of their own ask there, with a second or less to start.
IN_PROCESSES = ("tests/test_uploads.py::test_stdin_read_warning",)
