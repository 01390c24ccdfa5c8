//! The crate against the gateway of this checkout.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use oagw_mock::{call, json, pattern, Error, Gateway, Json, Sandbox};

const CHARGES: &str = "POST stripe/v1/charges";

fn sandbox() -> Sandbox {
    oagw_mock::sandbox().unwrap()
}

// ------------------------------------------------------------------------------------------------ the words

#[test]
fn tests_do_not_see_each_other() {
    let (one, other) = (sandbox(), sandbox());
    one.stub("GET stripe/x", json!({"json": {"of": "one"}})).unwrap();
    other.stub("GET stripe/x", json!({"json": {"of": "other"}})).unwrap();
    assert_eq!(one.call("GET stripe/x").unwrap().json().unwrap(), json!({"of": "one"}));
    assert_eq!(other.call("GET stripe/x").unwrap().json().unwrap(), json!({"of": "other"}));
    assert_eq!(one.verify("GET stripe/x", 1).unwrap(), 1);
    assert_eq!(one.requests(()).unwrap().len(), 1);
    assert_ne!(one.token(), other.token());
}

#[test]
fn a_stub_answers_as_told_and_then_steps_aside() {
    let sandbox = sandbox();
    let current = "GET weather/current";
    sandbox
        .stub(current, json!({"problem": {"category": "resource_exhausted", "retryAfter": 7}, "times": 1}))
        .unwrap();
    let answer = sandbox.call("GET weather/current?city=Oslo").unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    let answer = sandbox.call("GET weather/current?city=Oslo").unwrap();
    assert_eq!(answer.json().unwrap()["location"], "Oslo");
    assert_eq!(answer.header("X-OAGW-Error-Source"), Some("upstream"));

    sandbox.verify(current, 2).unwrap();
    sandbox.verify(current, 1..).unwrap();
    sandbox.verify(current, ..=2).unwrap();
    sandbox.verify(current, 1..=2_usize).unwrap();
    sandbox.verify(current, sandbox.requests(current).unwrap().len()).unwrap();
    sandbox.verify(current, ()).unwrap();
    sandbox.verify(current, json!({"after": current, "times": 1})).unwrap();
    let text =
        sandbox.verify(current, json!({"after": current, "notSoonerThan": 60})).unwrap_err().to_string();
    assert!(
        text.starts_with("Expected a pause of at least 60 s, but the one request came too soon:"),
        "{text}"
    );
    let statuses: Vec<_> =
        sandbox.requests(current).unwrap().iter().map(|r| r["oagw"]["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(429), Some(200)]);
    assert_eq!(sandbox.report().unwrap()["findings"][0]["rule"], "retry-after-not-honoured");
    assert!(sandbox.report_text().unwrap().starts_with("2 requests, "));
}

#[test]
fn requests_and_responses_are_texts_or_documents() {
    let sandbox = sandbox();
    let keyed = pattern(CHARGES, json!({"headers": {"Idempotency-Key": {"absent": true}}}));
    let stub =
        sandbox.stub(&keyed, r#"{"status": 201, "json": {"id": "ch_1"}, "headers": {"X-A": "b"}}"#).unwrap();
    let whole = json!({"priority": 9, "response": {"status": 404}});
    sandbox.stub(r#"{"method": "ANY", "urlPathPattern": "/api/oagw/v1/proxy/stripe/.*"}"#, whole).unwrap();
    sandbox.stub("GET stripe/{any}/slow", json!({"delay": 0.05, "body": "late"})).unwrap();

    let answer = sandbox.call_with(CHARGES, json!({"amount": 5})).unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
    assert_eq!(answer.header("x-a"), Some("b"));
    assert_eq!(sandbox.call("GET stripe/other").unwrap().status, 404);
    let begin = Instant::now();
    assert_eq!(sandbox.call("GET stripe/v1/slow").unwrap().text(), "late");
    assert!(begin.elapsed() >= Duration::from_millis(45)); // a delay may end half a tick, 2.5 ms, early
    let answered = stub.requests().unwrap();
    assert_eq!(answered.len(), 1);
    assert_eq!(answered[0]["body"], r#"{"amount": 5}"#);
    stub.remove().unwrap();
    assert_eq!(sandbox.call_with(CHARGES, json!({"amount": 5})).unwrap().status, 404);
    thread::scope(|scope| {
        scope.spawn(|| sandbox.call("GET stripe/later").unwrap());
        sandbox.verify("GET stripe/later", json!({"times": 1, "within": 20})).unwrap();
    });
    sandbox.reset().unwrap();
    assert_eq!(sandbox.requests(()).unwrap().len(), 0);
}

#[test]
fn toxics_break_answers_until_they_are_removed() {
    let sandbox = sandbox();
    let weather = "GET weather/current?city=Oslo";
    let cut = sandbox.toxic("limit_data", json!({"request": "GET weather/current", "bytes": 200})).unwrap();
    sandbox.toxic("latency", json!({"alias": "github", "latency": 1, "name": "slow"})).unwrap();
    let begin = Instant::now();
    let error = sandbox.call(weather).unwrap_err();
    assert!(begin.elapsed() < Duration::from_millis(900)); // it does not wait whether the server ends
    assert!(matches!(&error, Error::Unreachable(text) if text.contains("cut")), "{error}");
    assert_eq!(sandbox.call("GET github/users/octocat").unwrap().status, 200);
    assert_eq!(sandbox.requests("GET github/users/octocat").unwrap()[0]["oagw"]["toxics"], json!(["slow"]));
    cut.remove().unwrap();
    let second = json!({"alias": "weather", "bytes": 0, "skip": 1, "times": 1});
    sandbox.toxic("limit_data", second).unwrap();
    assert_eq!(sandbox.call(weather).unwrap().status, 200);
    assert!(sandbox.call(weather).is_err());
    assert_eq!(sandbox.call(weather).unwrap().status, 200);
}

#[test]
fn a_manual_clock_moves_when_the_test_says_so() {
    let gateway = Gateway::builder().options(["--clock", "manual"]).start().unwrap();
    let sandbox = gateway.sandbox().unwrap();
    sandbox.stub("GET stripe/slow", json!({"delay": 3600, "body": "at last"})).unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| sandbox.call("GET stripe/slow").unwrap().text());
        sandbox.wait_pending().unwrap();
        assert_eq!(gateway.clock().state().unwrap()["pending"], 1);
        sandbox.clock().advance(Duration::from_secs(3600)).unwrap();
        assert_eq!(slow.join().unwrap(), "at last");
    });
    thread::scope(|scope| {
        let slow = scope.spawn(|| sandbox.call("GET stripe/slow").unwrap().text());
        sandbox.wait_pending().unwrap();
        sandbox.clock().advance_until_idle().unwrap();
        assert_eq!(slow.join().unwrap(), "at last");
    });
    let upstream =
        sandbox.upstream("payments", "http://localhost:9000", json!({"rate_limit": limit()})).unwrap();
    sandbox.stub("GET payments/v1/charges", ()).unwrap();
    let get = || call("GET", &format!("{}/v1/charges", upstream.url()), sandbox.token(), "").unwrap().status;
    assert_eq!([get(), get(), get()], [200, 200, 429]);
    sandbox.clock().advance(Duration::from_secs(30)).unwrap();
    assert_eq!([get(), get()], [200, 429]);
    let text = sandbox.clock().advance(Duration::from_secs(u64::MAX)).unwrap_err().to_string();
    assert!(text.starts_with("/seconds: "), "{text}");
}

// ------------------------------------------------------------------------------------- upstreams and routes

const LOCAL: &str = "http://localhost:9000/v1/";

fn limit() -> Json {
    json!({"sustained": {"rate": 2, "window": "minute"}})
}

/// What the routes of a sandbox match, by their paths.
fn matches(sandbox: &Sandbox) -> Vec<Json> {
    let routes = sandbox.manage("GET", "/routes", ()).unwrap();
    let mut found: Vec<_> = routes.as_array().iter().map(|route| route["match"]["http"].clone()).collect();
    found.sort_by_key(|one| one["path"].as_str().unwrap().to_string());
    found
}

#[test]
fn an_upstream_has_its_policies_a_route_for_its_path_and_more_routes() {
    let sandbox = sandbox();
    let options = json!({"query": ["limit"], "rate_limit": limit(), "tags": ["a"]});
    let upstream = sandbox.upstream("Payments", LOCAL, options).unwrap();
    assert_eq!(upstream.alias(), "payments");
    assert_eq!(upstream.url(), sandbox.alias_url("payments") + "/v1");
    let found = sandbox.manage("GET", &format!("/upstreams/{}", upstream.id()), ()).unwrap();
    let endpoint = json!({"scheme": "http", "host": "127.0.0.1", "port": 9000});
    assert_eq!(found["server"]["endpoints"], json!([endpoint]));
    assert_eq!(found["rate_limit"]["sustained"], limit()["sustained"]);
    assert_eq!(found["tags"], json!(["a"]));

    let options = json!({"path": "/v2", "methods": ["GET"], "priority": 3, "path_suffix_mode": "disabled"});
    let route = sandbox.route(&upstream, options).unwrap();
    let methods = json!(["GET", "POST", "PUT", "DELETE", "PATCH"]);
    let of_upstream = json!({
        "methods": methods, "path": "/v1", "query_allowlist": ["limit"], "path_suffix_mode": "append"
    });
    let second =
        json!({"methods": ["GET"], "path": "/v2", "query_allowlist": [], "path_suffix_mode": "disabled"});
    assert_eq!(matches(&sandbox), [of_upstream.clone(), second]);
    assert_eq!(sandbox.manage("GET", &format!("/routes/{}", route.id()), ()).unwrap()["priority"], 3);
    route.clone().remove().unwrap();
    route.remove().unwrap();
    assert_eq!(matches(&sandbox), [of_upstream]);
    drop(upstream); // it stays in its sandbox
    assert_eq!(matches(&sandbox).len(), 1);
}

#[test]
fn the_alias_of_a_hostname_is_derived() {
    let sandbox = sandbox();
    let upstream = sandbox.upstream(None, "https://api.vendor.example", json!({"route": false})).unwrap();
    assert_eq!(upstream.alias(), "api.vendor.example");
    assert_eq!(matches(&sandbox).len(), 0);
    let text = sandbox.upstream("vendor", "https://vendor.example", ()).unwrap_err().to_string();
    assert!(
        text.starts_with("alias is auto-derived") && text.contains("(derived: 'vendor.example')"),
        "{text}"
    );
}

#[test]
fn a_refusal_of_the_gateway_has_its_text_and_leaves_nothing() {
    let sandbox = sandbox();
    match sandbox.upstream(None, "http://127.0.0.1:9000", ()) {
        Err(Error::Refused { status: 400, text, request }) => {
            assert!(text.starts_with("explicit alias is required for IP-based"), "{text}");
            assert!(request.starts_with("POST /api/oagw/v1/upstreams {"), "{request}");
        }
        other => panic!("{other:?}"),
    }
    let text = sandbox.upstream("lab", LOCAL, json!({"methods": ["HEAD"]})).unwrap_err().to_string();
    assert!(text.starts_with("/match/http/methods/0: "), "{text}");
    assert_eq!(sandbox.manage("GET", "/upstreams", ()).unwrap(), json!([]));
    let text = sandbox.upstream("lab", LOCAL, json!({"ratelimit": limit()})).unwrap_err().to_string();
    assert!(text.starts_with("there is no option \"ratelimit\""), "{text}");
    for wrong in ["", "127.0.0.1:9000", "http://", "http://a?b=c", "http://me:hidden@a", "http://a:b"] {
        let text = sandbox.upstream("lab", wrong, ()).unwrap_err().to_string();
        assert!(text.contains("is not the base URL of an upstream") && !text.contains("hidden"), "{text}");
    }
    let text = sandbox.upstream("lab", "http://[::1]:9000", ()).unwrap_err().to_string();
    assert!(text.contains("IPv6 endpoints are not yet supported"), "{text}");
}

#[test]
fn an_upstream_of_a_gateway_is_removed_when_it_is_dropped() {
    let gateway = Gateway::shared().unwrap();
    let upstream = gateway.upstream("lab", LOCAL, ()).unwrap();
    let path = format!("/upstreams/{}", upstream.id());
    gateway.route(&upstream, json!({"path": "/v2"})).unwrap();
    assert_eq!(gateway.manage("GET", &path, ()).unwrap()["alias"], "lab");
    drop(upstream);
    assert!(matches!(gateway.manage("GET", &path, ()), Err(Error::Refused { status: 404, .. })));
    gateway.upstream("lab", LOCAL, ()).unwrap().remove().unwrap();
}

#[test]
fn an_upstream_gets_its_credentials_from_a_secret() {
    let sandbox = sandbox();
    let secret = sandbox.secret("key", "s3cret", ()).unwrap();
    let auth = json!({
        "type": "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1",
        "config": {"header": "x-api-key", "secret_ref": secret.reference()},
    });
    let upstream =
        sandbox.upstream(None, "http://echo.test/v1", json!({"auth": auth, "query": ["a"]})).unwrap();
    let get =
        |query: &str| call("GET", &format!("{}/x{query}", upstream.url()), sandbox.token(), "").unwrap();
    let answer = get("?a=1").json().unwrap();
    assert_eq!((&answer["path"], &answer["query"]), (&Json::from("/v1/x"), &Json::from("a=1")));
    assert!(answer["headers"].as_array().contains(&json!(["x-api-key", "s3cret"])), "{answer}");
    assert_eq!(get("?b=1").status, 400);
    secret.remove().unwrap();
    assert_eq!(get("").status, 500);

    let gateway = sandbox.gateway();
    let of_gateway = gateway.secret("key", "value", json!({"sharing": "shared"})).unwrap();
    let text = gateway.secret("key", "hidden", ()).unwrap_err().to_string();
    assert!(text.starts_with("secret already exists: key") && !text.contains("hidden"), "{text}");
    drop(of_gateway);
    gateway.secret("key", "value", ()).unwrap().remove().unwrap();
}

#[test]
fn each_tenant_of_a_sandbox_has_a_token() {
    let tree = json!({"tenants": {"root": null, "child": "root"}});
    let sandbox = Gateway::shared().unwrap().sandbox_with(tree).unwrap();
    assert_eq!(sandbox.tenant_token("root"), Some(sandbox.token()));
    assert_ne!(sandbox.tenant_token("child").unwrap(), sandbox.token());
    assert_eq!(sandbox.tenant_token("other"), None);
}

// ------------------------------------------------------------------------------------------------ refusals

#[test]
fn a_refusal_is_the_text_of_the_control_plane_with_what_was_refused() {
    let sandbox = sandbox();
    let error = sandbox.stub("GET stripe/x", json!({"stat": 201})).unwrap_err();
    assert!(matches!(&error, Error::Refused { status: 422, .. }));
    let text = error.to_string();
    assert!(text.starts_with("/response/stat: Object contains unknown field"), "{text}");
    assert!(text.contains("did you mean \"status\"?"), "{text}");
    assert!(
        text.contains("refused with 422: POST /__admin/mappings {\"request\": {\"method\": \"GET\""),
        "{text}"
    );
    assert_eq!(format!("{error:?}"), text); // what unwrap() prints
    let said = |result: Result<(), Error>, part: &str| {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    };
    said(sandbox.toxic("latency", json!({"latencey": 5})).map(drop), "latencey");
    said(sandbox.toxic("latency", json!({"latency": 5, "alias": 7})).map(drop), "/alias");
    said(sandbox.verify("GET x/y", json!({"tims": 1})).map(drop), "/tims");
    said(sandbox.requests(r#"{"metod": "GET"}"#).map(drop), "/metod");
    said(sandbox.stub("G(T stripe/x", ()).map(drop), "G(T");
    said(sandbox.clock().advance(Duration::from_secs(1)), "--clock manual");
    said(sandbox.admin("GET", "/nothing", ()).map(drop), "/nothing");
    said(
        sandbox.gateway().sandbox_with(json!({"expiresAfterSeconds": -1})).map(drop),
        "/expiresAfterSeconds",
    );
    said(sandbox.stub("weather", ()).map(drop), "is not a method and a path");
    said(sandbox.stub("GET stripe/x", r#"{"status": 20"#).map(drop), "invalid JSON in line 1, column 14");
    said(sandbox.stub("GET stripe/x", json!({"delay": "long"})).map(drop), "expected a number of seconds");
}

#[test]
fn a_sandbox_that_is_gone_says_so() {
    let sandbox = sandbox();
    sandbox.gateway().admin("DELETE", &format!("/sandboxes/{}", sandbox.id()), ()).unwrap();
    let text = sandbox.requests(()).unwrap_err().to_string();
    assert!(text.starts_with("No such sandbox: it was deleted or has expired"), "{text}");
}

#[test]
fn without_a_gateway_the_error_says_why() {
    let said = |result: Result<Gateway, Error>, part: &str| {
        let text = result.and_then(|gateway| gateway.sandbox()).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    };
    said(Gateway::builder().command(["sh", "-c", "echo no luck today >&2; exit 3"]).start(), "no luck today");
    said(Gateway::builder().command(["sh", "-c", "exit 3"]).start(), "status: 3");
    said(Gateway::builder().command(["no-such-command"]).start(), "not found: no-such-command");
    said(Gateway::builder().options(["--colour", "red"]).start(), "--colour");
    said(Gateway::connect("https://127.0.0.1:1"), "it is not an http URL");
    said(Gateway::connect("http://127.0.0.1:1/path"), "a host and a port alone");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    said(
        Gateway::connect(&format!("http://{closed}")),
        &format!("POST http://{closed}/__admin/sandboxes has failed: "),
    );
    let other = answering(&[b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno luck"]);
    said(Gateway::connect(&other), "this is not the control plane of a mock gateway: no luck");

    let gateway = Gateway::start().unwrap();
    let sandbox = gateway.sandbox().unwrap();
    kill(gateway.process_id().unwrap());
    let text = sandbox.requests(()).unwrap_err().to_string();
    assert!(text.starts_with("the gateway ended with signal: 9"), "{text}");
    assert!(time_to_drop(sandbox, true) < Duration::from_millis(1000)); // without a second panic
}

#[test]
fn the_token_and_the_admin_token_can_be_others() {
    let gateway =
        Gateway::builder().token("mine").admin_token("boss").options(["--access-log"]).start().unwrap();
    let sandbox = gateway.sandbox().unwrap();
    assert_eq!(sandbox.call("GET weather/current?city=Oslo").unwrap().status, 200);
    let url = gateway.alias_url("weather") + "/current?city=Oslo";
    assert_eq!(call("GET", &url, gateway.token(), "").unwrap().status, 200);
    assert_eq!(gateway.token(), "mine");
    let text = Gateway::connect(gateway.url()).unwrap().sandbox().unwrap_err().to_string();
    assert!(text.starts_with("Expected the admin token"), "{text}");
    assert!(!format!("{gateway:?} {sandbox:?}").contains("boss"));
    let id = sandbox.id().to_string();
    fill_the_log(&gateway);
    drop(sandbox);
    let left = gateway.admin("GET", "/sandboxes", ()).unwrap();
    assert!(!left.to_string().contains(&id), "{left}");
}

/// Makes more output than fits into a pipe, which must not stop the gateway.
fn fill_the_log(gateway: &Gateway) {
    let mut connection = TcpStream::connect(gateway.url().trim_start_matches("http://")).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    connection.write_all("GET /health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2000).as_bytes()).unwrap();
    connection.read_exact(&mut vec![0; 2000 * 150]).unwrap();
}

// -------------------------------------------------------------------------------------------- a failing test

/// Tests that fail, or have to be killed: others run them in a process of their own.
mod victims {
    use super::*;

    fn a_call_without_a_stub(sandbox: &Sandbox) {
        let body = pattern(CHARGES, json!({"bodyPatterns": [{"equalToJson": {"amount": 5}}]}));
        sandbox.stub(body, json!({"status": 201, "name": "the charge"})).unwrap();
        sandbox.call_with(CHARGES, json!({"amount": 6})).unwrap();
    }

    #[test]
    #[ignore = "fails"]
    fn panics() {
        let sandbox = sandbox();
        a_call_without_a_stub(&sandbox);
        assert_eq!(1, 2, "as it has to");
    }

    #[test]
    #[ignore = "fails"]
    fn returns_an_error() -> Result<(), Error> {
        let sandbox = sandbox();
        a_call_without_a_stub(&sandbox);
        sandbox.verify("GET stripe/v1/never", 1)?;
        Ok(())
    }

    #[test]
    #[ignore = "fails"]
    fn is_strict() {
        let sandbox = sandbox().strict();
        a_call_without_a_stub(&sandbox);
        sandbox.finish();
    }

    #[test]
    #[ignore = "is killed"]
    fn waits_to_be_killed() {
        println!("\nhere: {}", Gateway::shared().unwrap().url());
        thread::sleep(Duration::from_secs(60));
    }

    #[test]
    #[ignore = "needs OAGW_URL"]
    fn uses_the_gateway_that_runs() {
        assert_eq!(sandbox().url(), std::env::var("OAGW_URL").unwrap());
        assert_eq!(Gateway::start().unwrap().process_id(), None);
    }
}

fn victim(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", &format!("victims::{name}")]).stdin(Stdio::null());
    command.env("OAGW_URL", Gateway::shared().unwrap().url());
    command
}

/// Runs a victim, which must fail, and returns what the test harness shows of it.
fn output_of(name: &str) -> String {
    let done = victim(name).output().unwrap();
    let shown = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(101), "{shown}");
    assert!(!String::from_utf8(done.stderr).unwrap().contains("what the gateway saw"), "it was not captured");
    let title = format!("---- victims::{name} stdout ----\n");
    let (_, shown) = shown.split_once(&title).unwrap_or_else(|| panic!("{shown}"));
    shown.split_once("\nfailures:").unwrap().0.to_string()
}

fn shows_what_the_gateway_saw(shown: &str) {
    let (_, seen) =
        shown.split_once("---- what the gateway saw in sandbox ").unwrap_or_else(|| panic!("{shown}"));
    for part in [
        "1 request, 0 findings",
        "unmatched: POST /api/oagw/v1/proxy/stripe/v1/charges -> 404 from the gateway",
        "  The nearest stub is POST [path] /api/oagw/v1/proxy/stripe/v1/charges \"the charge\"",
        "    ! body    $.amount  expected 5, received 6   <<<",
        "unused stub the charge",
        "all requests:",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert!(seen.contains("\n----\n"), "{seen}");
}

#[test]
fn a_test_that_panics_shows_what_the_gateway_saw() {
    let shown = output_of("panics");
    assert!(shown.contains("as it has to"), "{shown}");
    shows_what_the_gateway_saw(&shown);
}

#[test]
fn a_test_that_returns_an_error_shows_what_the_gateway_saw() {
    let shown = output_of("returns_an_error");
    assert!(shown.contains("Error: Expected exactly 1 request, but there were none:"), "{shown}");
    shows_what_the_gateway_saw(&shown);
}

#[test]
fn a_strict_test_fails_for_a_404_of_the_gateway_and_an_unused_stub() {
    let shown = output_of("is_strict");
    let call =
        "Nothing could answer a call:\n  POST /api/oagw/v1/proxy/stripe/v1/charges -> 404 from the gateway\n";
    assert!(shown.contains(call), "{shown}");
    assert!(shown.contains("A stub was not called: the charge\n"), "{shown}");
    assert!(shown.contains("tests/gateway.rs:"), "{shown}"); // the line of finish()
    shows_what_the_gateway_saw(&shown);
}

#[test]
fn a_strict_test_passes_if_all_is_well() {
    let sandbox = sandbox().strict();
    sandbox.stub("GET stripe/x", ()).unwrap();
    assert_eq!(sandbox.call("GET stripe/x").unwrap().status, 200);
    assert_eq!(sandbox.call("GET github/users/octocat").unwrap().status, 200);
    sandbox.finish();
}

#[test]
fn a_gateway_that_runs_at_oagw_url_is_used() {
    let done = victim("uses_the_gateway_that_runs").output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn a_test_that_is_killed_leaves_no_server() {
    let mut child = victim("waits_to_be_killed")
        .arg("--nocapture")
        .env_remove("OAGW_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.into_iter().find(|line| line.starts_with("here: ")).unwrap();
    let address = line.trim_start_matches("here: http://").to_string();
    assert!(TcpStream::connect(&address).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    let begin = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the server outlived the test");
        thread::sleep(Duration::from_millis(20));
    }
}

// ------------------------------------------------------------------------------------------------- the drop

/// Drops a sandbox, while the thread panics or not, and returns the time it took.
fn time_to_drop(sandbox: Sandbox, panics: bool) -> Duration {
    let begin = Instant::now();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_at_the_end = sandbox;
        assert!(!panics, "as it has to");
    }));
    assert_eq!(caught.is_err(), panics);
    begin.elapsed()
}

#[test]
fn a_drop_deletes_the_sandbox() {
    for panics in [false, true] {
        let sandbox = sandbox();
        let (gateway, path) = (sandbox.gateway(), format!("/sandboxes/{}", sandbox.id()));
        gateway.admin("GET", &path, ()).unwrap();
        time_to_drop(sandbox, panics);
        assert!(matches!(gateway.admin("GET", &path, ()), Err(Error::Refused { status: 404, .. })));
    }
}

#[test]
fn a_drop_does_not_abort_the_tests_if_standard_error_is_closed() {
    let mut gone = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let broken_pipe = gone.stdin.take().unwrap();
    gone.wait().unwrap();
    let status =
        victim("panics").arg("--nocapture").stdout(Stdio::null()).stderr(broken_pipe).status().unwrap();
    assert_eq!(status.code(), Some(101));
}

#[test]
fn a_drop_takes_two_seconds_if_the_gateway_hangs() {
    let created = b"HTTP/1.1 201 Created\r\nContent-Length: 25\r\n\r\n{\"id\": \"i\", \"token\": \"t\"}";
    thread::scope(|scope| {
        for panics in [false, true] {
            scope.spawn(move || {
                let sandbox = Gateway::connect(&answering(&[created])).unwrap().sandbox().unwrap();
                let took = time_to_drop(sandbox, panics);
                assert!(took < Duration::from_millis(2700), "{took:?}");
                assert!(took > Duration::from_millis(1500), "{took:?}"); // it did try
            });
        }
    });
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

// ------------------------------------------------------------------------------------------------- HTTP/1.1

/// Starts a server that gives these answers, one on each connection, and none to later ones. Returns its URL.
fn answering(answers: &[&'static [u8]]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for (at, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            match answers.get(at) {
                Some(answer) => {
                    let mut lines =
                        BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
                    lines.find(String::is_empty);
                    connection.write_all(answer).unwrap();
                }
                None => kept.push(connection),
            }
        }
    });
    url
}

fn answer_to(bytes: &'static [u8]) -> Result<oagw_mock::Answer, Error> {
    call("GET", &answering(&[bytes]), "token", "")
}

#[test]
fn answers_are_read_in_all_framings() {
    let chunked =
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n";
    assert_eq!(answer_to(chunked).unwrap().text(), "abcde");
    assert_eq!(answer_to(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef").unwrap().text(), "abc");
    assert_eq!(answer_to(b"HTTP/1.0 200 OK\r\n\r\nto the end").unwrap().text(), "to the end");
    assert_eq!(answer_to(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().status, 204);
    let twice = answer_to(b"HTTP/1.1 200\r\nA: 1\r\na: 2\r\n\r\n").unwrap();
    assert_eq!((twice.header("a"), twice.headers("A").collect::<Vec<_>>()), (Some("1"), vec!["1", "2"]));
}

#[test]
fn answers_that_are_cut_or_no_http_are_errors() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", "invalid Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "invalid chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "too large"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1"),
    ];
    for (bytes, why) in cases {
        let text = answer_to(bytes).unwrap_err().to_string();
        assert!(text.starts_with("GET http://127.0.0.1:") && text.contains(why), "{text}, not {why}");
    }
    let text = call("GET", &format!("{}/a b", answering(&[])), "token", "").unwrap_err().to_string();
    assert!(text.contains("a blank in its method, path or token"), "{text}");
}

#[test]
fn a_large_body_is_sent_and_a_refusal_of_it_is_read() {
    let sandbox = sandbox();
    let text = "x".repeat(3 << 20);
    sandbox.stub("GET stripe/large", json!({"body": &text})).unwrap();
    assert_eq!(sandbox.call("GET stripe/large").unwrap().text(), text);
    let error = sandbox.stub("GET stripe/huge", json!({"body": "x".repeat(17 << 20)})).unwrap_err();
    assert!(matches!(error, Error::Refused { status: 413, .. }), "{error}");
    assert!(error.to_string().len() < 2000);
}

#[test]
fn a_hundred_sandboxes_in_eight_threads_do_not_cross() {
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for turn in 0..13 {
                    let (sandbox, name) = (sandbox(), format!("{thread}-{turn}"));
                    sandbox.stub("GET stripe/x", json!({"body": &name})).unwrap();
                    assert_eq!(sandbox.call("GET stripe/x").unwrap().text(), name);
                    sandbox.verify("GET stripe/x", 1).unwrap();
                }
            });
        }
    });
}
