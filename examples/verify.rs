//! Stub, break, verify from a Rust test, without crates: does the client honour Retry-After?
//!
//!     rustc --edition 2021 -o /tmp/verify examples/verify.rs && /tmp/verify
//!
//! OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{env, net::TcpStream, thread::sleep, time::Duration};

struct MockGateway(u16, Child);

impl Drop for MockGateway {
    fn drop(&mut self) {
        let _ = (self.1.kill(), self.1.wait());
    }
}

fn start() -> MockGateway {
    let mut server = Command::new(env::var("OAGW_PYTHON").unwrap_or("python3".into()))
        .arg(env::var("OAGW_SERVER").unwrap_or("server.py".into()))
        .args(["0", "--exit-with-parent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cannot run Python");
    let (mut line, stdout) = (String::new(), server.stdout.take().unwrap());
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let port = between(&line, "\"port\": ", ",").expect("the gateway did not start");
    MockGateway(port.parse().unwrap(), server)
}

/// What stands in `text` between `open` and `close`. With serde_json this is a member.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let rest = text.split_once(open)?.1;
    Some(rest.split_once(close)?.0)
}

/// The answer, head and body. With reqwest this is one call.
fn call(gateway: &MockGateway, method: &str, path: &str, token: &str, body: &str) -> String {
    let mut client = TcpStream::connect(("127.0.0.1", gateway.0)).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).unwrap();
    std::io::read_to_string(client).unwrap()
}

const WEATHER: &str = "/api/oagw/v1/proxy/weather/current";

/// POST to the control plane, with the token of a sandbox for that sandbox alone; panics with its refusal.
fn admin(gateway: &MockGateway, path: &str, token: &str, document: &str) -> String {
    let answer = call(gateway, "POST", &format!("/__admin/{path}"), token, document);
    let said = answer.replace("\\n", "\n");
    assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {said}");
    answer
}

/// The client that is tested.
fn weather(gateway: &MockGateway, token: &str) -> String {
    let answer = call(gateway, "GET", &format!("{WEATHER}?city=Oslo"), token, "");
    if !answer.starts_with("HTTP/1.1 429") {
        return answer;
    }
    let seconds = between(&answer, "Retry-After: ", "\r\n").unwrap();
    sleep(Duration::from_secs(seconds.parse().unwrap()));
    weather(gateway, token)
}

fn main() {
    let gateway = start();
    let created = admin(&gateway, "sandboxes", "", "{}"); // nobody else's stubs, nobody else's requests
    let token = between(&created, r#""token":""#, "\"").expect(&created);
    let request = format!(r#"{{"method": "GET", "urlPath": "{WEATHER}"}}"#);
    let response = r#"{"problem": {"category": "resource_exhausted", "retryAfter": 1}}"#;
    let stub = format!(r#"{{"request": {request}, "response": {response}, "times": 1}}"#);
    admin(&gateway, "mappings", token, &stub);
    let answer = weather(&gateway, token);
    assert!(answer.contains(r#""location":"Oslo""#), "{answer}");
    let due = r#""times": 1, "notSoonerThan": 1"#;
    let retried = format!(r#"{{"request": {request}, "after": {request}, {due}}}"#);
    admin(&gateway, "verify", token, &retried); // panics with the reason if the client did not do it
    println!("ok");
}
