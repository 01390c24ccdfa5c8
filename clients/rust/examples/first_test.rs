//! The first test of a client, as benchmarks/first_test.py measures it: spawn, sandbox, stub, call, verify.
//!
//!     cargo run --release --offline --example first_test

use oagw_mock::{json, Error, Gateway};

fn main() -> Result<(), Error> {
    let gateway = Gateway::start()?;
    let sandbox = gateway.sandbox()?;
    sandbox.stub("GET stripe/v1/charges/{id}", json!({"json": {"id": "ch_1"}}))?;
    let answer = sandbox.call("GET stripe/v1/charges/ch_1")?;
    assert_eq!(answer.json()?, json!({"id": "ch_1"}));
    sandbox.verify("GET stripe/v1/charges/ch_1", 1)?;
    println!("ok");
    Ok(())
}
