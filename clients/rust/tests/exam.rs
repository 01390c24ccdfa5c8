//! The exam: a small client is examined, and examinations of a made-up control plane.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use oagw_mock::{call, json, Error, ExamCall, Gateway, Json, Situation};

/// Retries once what is busy, after the seconds of Retry-After. What else it retries is its fault.
fn client(fault: u16) -> impl Fn(&ExamCall) -> Json + Send + Sync + 'static {
    move |made| {
        if made.kind != "call" || !made.headers.is_empty() {
            return json!({"outcome": "unsupported"});
        }
        let body = made.body.as_ref().map_or(String::new(), Json::to_string);
        let ask = || call(&made.method, &made.url, &made.token, &body);
        let mut answer = ask();
        if let Ok(busy) = answer.clone() {
            if busy.status == 429 || busy.status == fault {
                let wait = busy.header("Retry-After").and_then(|wait| wait.parse().ok());
                thread::sleep(Duration::from_secs(wait.unwrap_or_default()));
                answer = ask();
            }
        }
        let failed =
            |error: Error| json!({"outcome": "error", "error": "Error", "message": error.to_string()});
        match answer.map(|answer| (answer.status, answer.json())) {
            Ok((200..=299, Ok(value))) => json!({"outcome": "value", "value": value}),
            Ok((200..=299, Err(error))) | Err(error) => failed(error),
            Ok((status, _)) => json!({"outcome": "error", "error": "status", "status": status}),
        }
    }
}

fn gateway() -> &'static Gateway {
    Gateway::shared().unwrap()
}

fn situation(name: &str) -> Situation {
    let found = gateway().situations(&[name]).unwrap();
    assert_eq!(found.len(), 1);
    found[0].clone()
}

#[test]
fn a_client_that_does_not_fail_gets_its_judgements() {
    let only = ["retry-after-seconds", "not-retried-40*", "token-sent", "cut-inside-event"];
    let judged = oagw_mock::exam(&only, client(429)).unwrap();
    let judged: Vec<_> = judged.iter().map(|one| (one.name.as_str(), one.verdict.as_str())).collect();
    let expected = [
        ("retry-after-seconds", "passed"),
        ("not-retried-400", "passed"),
        ("not-retried-401", "passed"),
        ("not-retried-403", "passed"),
        ("not-retried-404", "passed"),
        ("token-sent", "passed"),
        ("cut-inside-event", "not judged"),
    ];
    assert_eq!(judged, expected);
    let skipped = situation("cut-inside-event").take(client(429)).unwrap();
    assert_eq!(skipped.text, "The client does not support this.");
}

#[test]
fn a_client_that_fails_is_told_a_table_and_the_evidence() {
    let error = gateway().exam(&["not-retried-40*"], client(400)).unwrap_err();
    assert!(matches!(error, Error::NotVerified(_)));
    let text = format!("{error:?}"); // what unwrap() prints
    let (table, evidence) = text.split_once("\n\n").unwrap();
    assert!(table.starts_with("1 of 4 situations failed:\nnot-retried-400 "), "{text}");
    assert!(table.contains(" failed ") && table.contains(" 2 requests"), "{text}");
    assert_eq!(table.lines().count(), 2, "{text}");
    for part in [
        "not-retried-400: The client ",
        "\nWhat happens: Every answer to the POST is 400.\n",
        "\nWhat a correct client does: ",
        "POST /v1/chat/completions -> 400 ",
        " <-- evidence\n",
        r#"The client reported: {"outcome": "error", "error": "status", "status": 400}"#,
    ] {
        assert!(evidence.contains(part), "{part}: {text}");
    }
    let one = situation("not-retried-400").take(client(400)).unwrap_err();
    assert!(one.to_string().starts_with("not-retried-400: The client "), "{one}");
}

/// The message that `act` panics with.
fn panic_of(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    panic.downcast_ref::<&str>().unwrap().to_string()
}

#[test]
fn what_the_function_does_wrong_fails_the_test() {
    let one = situation("not-retried-400");
    assert_eq!(panic_of(|| drop(one.take(|_| panic!("no luck")))), "no luck");
    assert_eq!(panic_of(|| drop(gateway().exam(&["pages"], |_| panic!("no luck")))), "no luck");
    let error = one.take(|_| json!({"outcome": "value"})).unwrap_err();
    assert!(matches!(&error, Error::Refused { status: 422, .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("/reports/0: The outcome \"value\" needs the member \"value\""), "{text}");
    let error = gateway().exam(&["not-retried-400"], |_| json!({"outcom": "value"})).unwrap_err();
    assert!(error.to_string().starts_with("/reports/0/outcom"), "{error}");
}

#[test]
fn situations_are_selected() {
    let pages = gateway().situations(&["pages", "pages-loop"]).unwrap();
    assert!(pages.len() > 5 && gateway().situations(&[]).unwrap().len() > 100);
    assert!(pages.iter().all(|one| one.about()["kind"] == "pages" && one.name().starts_with("pages-")));
    let text = gateway().situations(&["pages-lop"]).unwrap_err().to_string();
    assert!(text.contains(r#"no situation or group "pages-lop", did you mean "pages-loop"?"#), "{text}");

    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "takes_what_the_variable_lists"]).env("OAGW_URL", gateway().url());
    let done = child.env("OAGW_EXAM", "token-sent,reuse").output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
#[ignore = "needs OAGW_EXAM"]
fn takes_what_the_variable_lists() {
    let found = gateway().situations(&["pages"]).unwrap();
    assert_eq!(found.iter().map(Situation::name).collect::<Vec<_>>(), ["token-sent", "reuse"]);
}

#[test]
fn a_gateway_with_a_manual_clock_is_refused() {
    let manual = Gateway::builder().options(["--clock", "manual"]).start().unwrap();
    let text = manual.exam(&["token-sent"], client(429)).unwrap_err().to_string();
    assert!(text.starts_with("The exam measures time; start the server without --clock manual"), "{text}");
}

// ------------------------------------------------------------------------------- a control plane with one exam

/// Answers one request on each connection; what is posted with a body goes into `posted`.
fn control_plane(examination: String, posted: Arc<Mutex<String>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection: TcpStream = connection.unwrap();
            let mut input = BufReader::new(connection.try_clone().unwrap());
            let head: Vec<_> =
                (&mut input).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            input.read_exact(&mut body).unwrap();
            let answer = match (head[0].starts_with("GET"), body.is_empty()) {
                (true, _) => r#"{"situations": [{"name": "a"}]}"#,
                (_, true) => &examination,
                (_, false) => {
                    *posted.lock().unwrap() = String::from_utf8(body).unwrap();
                    r#"{"verdict": "passed"}"#
                }
            };
            let length = answer.len();
            write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}").unwrap();
        }
    });
    url
}

/// Returns what is reported in an examination of three calls, and when they were made.
fn reports_of(
    at_once: bool,
    deadline: f64,
    client: impl Fn(&ExamCall) + Send + Sync + 'static,
) -> (Vec<String>, Vec<Duration>) {
    let calls = json!([{"id": "1"}, {"id": "2"}, {"id": "3"}]);
    let examination = json!({
        "id": "x", "deadline": deadline, "at_once": at_once, "stagger": 0.1, "calls": calls
    });
    let (posted, times) = (Arc::new(Mutex::default()), Arc::new(Mutex::new(Vec::new())));
    let url = control_plane(examination.to_string(), posted.clone());
    let situation = Gateway::connect(&url).unwrap().situations(&[]).unwrap()[0].clone();
    let (begin, made) = (Instant::now(), times.clone());
    let said = move |call: &ExamCall| {
        made.lock().unwrap().push(begin.elapsed());
        client(call);
        json!({"outcome": call.id.as_str()})
    };
    situation.take(said).unwrap();
    let posted = Json::parse(&posted.lock().unwrap()).unwrap();
    let outcome = |report: &Json| report["outcome"].as_str().unwrap().to_string();
    let times = times.lock().unwrap().clone();
    (posted["reports"].as_array().iter().map(outcome).collect(), times)
}

#[test]
fn a_client_that_does_not_return_is_judged_for_it() {
    let hangs = |call: &ExamCall| {
        if call.id == "2" {
            thread::sleep(Duration::from_secs(60)); // the process does not wait for it
        }
    };
    let (reports, times) = reports_of(false, 0.3, hangs);
    assert_eq!((reports, times.len()), (vec!["1".into(), "none".into(), "none".into()], 2));
    let (reports, times) = reports_of(true, 0.3, hangs);
    assert_eq!(reports, ["1", "none", "3"]);
    assert!(times[1] >= Duration::from_millis(100) && times[2] >= Duration::from_millis(200), "{times:?}");
}

#[test]
fn calls_are_made_in_turn_or_at_once() {
    for (at_once, together) in [(false, 1), (true, 3)] {
        let (running, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seen = most.clone();
        let (reports, _) = reports_of(at_once, 9.0, move |_| {
            seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(250));
            running.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!((reports.concat(), most.load(Ordering::SeqCst)), ("123".to_string(), together));
    }
}
