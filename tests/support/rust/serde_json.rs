//! A stand-in for the crate `serde_json`, as far as docs/streams.md uses it, for where no crates can be had.

use std::collections::HashMap;
use std::ops::Index;

#[derive(Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(HashMap<String, Value>),
}

#[derive(Debug)]
pub struct Error(pub usize);

impl Value {
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Number(digits) = self { digits.parse().ok() } else { None }
    }

    pub fn as_array(&self) -> Option<&Vec<Value>> {
        if let Value::Array(values) = self { Some(values) } else { None }
    }
}

impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        static NULL: Value = Value::Null;
        if let Value::Object(members) = self { members.get(member).unwrap_or(&NULL) } else { &NULL }
    }
}

pub fn from_str(text: &str) -> Result<Value, Error> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value()?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err(Error(reader.at)) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), Error> {
        if self.takes(token) { Ok(()) } else { Err(Error(self.at)) }
    }

    fn value(&mut self) -> Result<Value, Error> {
        if self.takes("{") {
            let mut members = HashMap::new();
            while !self.takes("}") {
                if !members.is_empty() {
                    self.expect(",")?;
                }
                self.expect("\"")?;
                let name = self.string()?;
                self.expect(":")?;
                members.insert(name, self.value()?);
            }
            return Ok(Value::Object(members));
        }
        if self.takes("[") {
            let mut values = Vec::new();
            while !self.takes("]") {
                if !values.is_empty() {
                    self.expect(",")?;
                }
                values.push(self.value()?);
            }
            return Ok(Value::Array(values));
        }
        if self.takes("\"") {
            return Ok(Value::String(self.string()?));
        }
        if self.takes("null") {
            return Ok(Value::Null);
        }
        if self.takes("true") {
            return Ok(Value::Bool(true));
        }
        if self.takes("false") {
            return Ok(Value::Bool(false));
        }
        let rest = self.rest();
        let length = rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(rest.len());
        let digits = rest[..length].to_string();
        self.at += length;
        if length > 0 { Ok(Value::Number(digits)) } else { Err(Error(self.at)) }
    }

    /// The rest of a string, after its first quotation mark.
    fn string(&mut self) -> Result<String, Error> {
        let mut units: Vec<u16> = Vec::new();
        loop {
            let next = self.rest().chars().next().ok_or(Error(self.at))?;
            self.at += next.len_utf8();
            let unit = match next {
                '"' => return String::from_utf16(&units).map_err(|_| Error(self.at)),
                '\\' => self.escape()?,
                plain => {
                    units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
                    continue;
                }
            };
            units.push(unit);
        }
    }

    fn escape(&mut self) -> Result<u16, Error> {
        let letter = self.rest().chars().next().ok_or(Error(self.at))?;
        self.at += letter.len_utf8();
        Ok(match letter {
            'u' => {
                let digits = self.rest().get(..4).ok_or(Error(self.at))?;
                let unit = u16::from_str_radix(digits, 16).map_err(|_| Error(self.at))?;
                self.at += 4;
                unit
            }
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            other => other as u16,
        })
    }
}
