//! Take the exam with the HTTP/1.1 client of the crate in clients/rust, which needs nothing but std:
//!
//!     cargo build --offline --manifest-path examples/exam/Cargo.toml
//!     oagw-mock exam -- examples/exam/target/debug/with_std
//!
//! It opens a connection for each call. Its time-out is fixed, and it has no retries. It takes no header fields
//! from its user, follows neither pages nor redirects, and does not read server-sent events.

use std::io::stdin;
use std::thread;

use oagw_mock::{call, json, Error, Json};

fn report(id: &str, line: &Json) -> Json {
    let member = |name| line.get(name).cloned().unwrap_or_default();
    let text = |name| member(name).as_str().unwrap_or_default().to_string();
    if text("kind") != "call" || !member("headers").as_object().is_empty() {
        return json!({"id": id, "outcome": "unsupported"});
    }
    let body = if member("body").is_null() {
        String::new()
    } else {
        member("body").to_string()
    };
    let done = call(&text("method"), &text("url"), &text("token"), &body).and_then(|answer| {
        if answer.status < 300 {
            let value = if answer.status == 204 {
                Json::Null
            } else {
                answer.json()?
            };
            return Ok(json!({"id": id, "outcome": "value", "value": value}));
        }
        let (status, source) = (
            u64::from(answer.status),
            answer.header("X-OAGW-Error-Source"),
        );
        let source = source.map_or(Json::Null, Json::from);
        Ok(json!({
            "id": id, "outcome": "error", "error": "status", "status": status, "source": source,
            "message": answer.text(),
        }))
    });
    done.unwrap_or_else(|error| {
        let class = if matches!(error, Error::Malformed(_)) {
            "Malformed"
        } else {
            "Unreachable"
        };
        json!({"id": id, "outcome": "error", "error": class, "message": error.to_string()})
    })
}

fn main() {
    let lines = stdin()
        .lines()
        .map(|line| Json::parse(&line.expect("UTF-8")).expect("JSON"));
    let answer = |line: Json| {
        let id = line.get("id").and_then(Json::as_str).expect("an id");
        println!("{}", report(id, &line));
    };
    let calls: Vec<_> = lines
        .map(|line| thread::spawn(move || answer(line)))
        .collect();
    for call in calls {
        call.join().expect("a report");
    }
}
