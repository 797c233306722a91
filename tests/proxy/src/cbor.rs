//! Bodies of Smithy RPC v2 in CBOR, read as JSON: what a call asks for is judged alike in every protocol.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};
use serde_json::{Map, Value};

/// The body, or `None` where it is no CBOR.
pub fn json(body: &[u8]) -> Option<Value> {
    read(&mut Decoder::new(body)).ok()
}

fn read(from: &mut Decoder<'_>) -> Result<Value, Error> {
    Ok(match from.datatype()? {
        Type::Map | Type::MapIndef => {
            let (mut left, mut fields) = (from.map()?, Map::new());
            while another(from, &mut left)? {
                let name = from.str()?.to_owned();
                fields.insert(name, read(from)?);
            }
            Value::Object(fields)
        }
        Type::Array | Type::ArrayIndef => {
            let (mut left, mut items) = (from.array()?, Vec::new());
            while another(from, &mut left)? {
                items.push(read(from)?);
            }
            Value::Array(items)
        }
        Type::String => from.str()?.into(),
        Type::Bool => from.bool()?.into(),
        Type::F16 | Type::F32 | Type::F64 => from.f64()?.into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => from.u64()?.into(),
        // What nobody asks about here: blobs, moments, nothing.
        _ => {
            from.skip()?;
            Value::Null
        }
    })
}

/// Whether a map or list has another entry: it says how many it has, or ends with a sign.
fn another(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Error> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::json;

    #[test]
    fn both_kinds_of_maps_are_read() {
        let said = b"\xbf\x69AlarmName\x63dlq\x6aAlarmNames\x82\x61a\x61b\x69Threshold\xfb\x3f\xf8\0\0\0\0\0\0\xff";
        assert_eq!(json(said), Some(json!({"AlarmName": "dlq", "AlarmNames": ["a", "b"], "Threshold": 1.5})));
        assert_eq!(json(b"\xa1\x62On\xf5"), Some(json!({"On": true})));
        assert_eq!(json(b"\xbf\x69Alarm"), None);
    }
}
