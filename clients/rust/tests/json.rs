//! The JSON of the crate.

use oagw_mock::{json, Json};

fn read(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn texts_are_exact() {
    for (text, value) in [
        (r#""""#, ""),
        (r#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"),
        (r#""\u00e9\u20AC\u0000""#, "é€\0"),
        (r#""\ud83d\ude00\uD83D\uDE01!""#, "😀😁!"),
        ("\"é€😀\u{7f}\u{2028}\"", "é€😀\u{7f}\u{2028}"),
        (r#""\ud7ff\ue000\uffff""#, "\u{d7ff}\u{e000}\u{ffff}"),
    ] {
        assert_eq!(read(text), value, "{text}");
        assert_eq!(read(&json!(value).to_string()), value, "{text}");
    }
    assert_eq!(json!("a\"\\\u{1}\n").to_string(), r#""a\"\\\u0001\n""#);
}

#[test]
fn numbers_keep_their_digits() {
    for text in ["0", "-0", "1.50", "1E+2", "123456789012345678901234567890", "-1.5e-300", "1e999"] {
        assert_eq!(read(text).to_string(), text);
    }
    assert_eq!(read("1e2"), 100);
    assert_eq!(read("1.0"), json!(1));
    assert_ne!(read("9007199254740993"), json!(9007199254740992_u64));
    assert_eq!(json!(1.0).to_string(), "1.0");
    assert_eq!(json!(f64::NAN), json!(null));
    assert_eq!(json!(-5_i8).as_i64(), Some(-5));
    assert_eq!((json!(-5).as_u64(), json!(1.5).as_i64(), json!(1.5).as_f64()), (None, None, Some(1.5)));
}

#[test]
fn what_is_no_json_is_refused_where_it_is_wrong() {
    for (text, column) in [
        ("", 1),
        ("nul", 1),
        ("[1,]", 4),
        ("[1 2]", 4),
        ("{\"a\" 1}", 6),
        ("{\"a\": 1,}", 9),
        ("{a: 1}", 2),
        ("01", 2),
        ("1.", 3),
        ("-", 2),
        ("1e", 3),
        ("+1", 1),
        ("NaN", 1),
        ("\"a", 3),
        ("\"\u{1}\"", 2),
        ("\"\\x\"", 2),
        ("\"\\u12g4\"", 2),
        ("\"\\u+123\"", 2),
        ("\"\\ud800\"", 2),
        ("\"\\ud800\\u0041\"", 2),
        ("\"\\udc00\\ud800\"", 2),
        ("1 2", 3),
        ("[1}", 3),
        ("\u{feff}1", 1),
    ] {
        let error = Json::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("invalid JSON in line 1, column {column}: ")), "{text}: {error}");
    }
    assert!(Json::parse("{\n  \"a\": x}").unwrap_err().to_string().contains("line 2, column 8"));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(read(&nested(128)).to_string(), nested(128));
    for depth in [129, 1_000_000] {
        assert!(Json::parse(&nested(depth)).unwrap_err().to_string().contains("nested more than 128 deep"));
    }
    let mut value = json!(1);
    for _ in 0..129 {
        value = json!([value]);
    }
    let error = oagw_mock::sandbox().unwrap().stub("GET stripe/x", json!({"json": value})).unwrap_err();
    assert!(error.to_string().contains("nested more than 128 deep"));
}

#[test]
fn the_macro_writes_json() {
    let (name, list, none): (&str, Vec<u8>, Option<&str>) = ("status", vec![1, 2], None);
    let value = json!({
        "a": [], "b": {}, "c": [null, true, [1, {"d": -1}], "x".len() + 1,], (name): 200, "e": list, "f": none,
        "g": {"h": format!("{name}!")},
    });
    assert_eq!(
        value.to_string(),
        r#"{"a": [], "b": {}, "c": [null, true, [1, {"d": -1}], 2], "status": 200, "e": [1, 2], "f": null, "g": {"h": "status!"}}"#
    );
    assert_eq!(value["c"][2][1]["d"], -1);
    assert_eq!(value["no"]["such"][7], Json::Null);
    assert_eq!(json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}));
    assert_ne!(json!({"a": 1}), json!({"a": 1, "b": null}));
    assert_eq!([("a", 1)].into_iter().collect::<Json>(), json!({"a": 1}));
    assert_eq!(read(r#"{"a": 1, "a": 2}"#)["a"], 2);
}
