//! A client as it is often written: lines end in LF, and only `data: ` and `event: ` count.

use std::io::{Read, Write};
use std::net::TcpStream;

pub fn events(url: &str, token: &str) -> Vec<(String, String, String)> {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let head = format!("GET /{path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer); // what came before a reset counts
    let answer = String::from_utf8_lossy(&answer);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let mut found = Vec::new();
    for block in body.split("\n\n") {
        let fields = |name: &str| -> Vec<String> {
            block.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_string).collect()
        };
        let (data, mut types) = (fields("data: "), fields("event: "));
        if !data.is_empty() {
            found.push((types.pop().unwrap_or("message".into()), data.join("\n"), String::new()));
        }
    }
    found
}
