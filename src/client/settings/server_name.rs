//! Names of servers in keys of files, such as `SERVER/#CHANNEL`, and in lists whose items a comma separates: characters that
//! would break these are percent-encoded. Names without such characters are as they are.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Returns the name with each character encoded that a key or a list cannot hold.
pub fn encode_server_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '%' | '/' | ',') || c.is_whitespace() || c.is_control() {
            encoded.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
        } else {
            encoded.push(c);
        }
    }
    encoded
}

/// Returns the name that a text encodes. A `%` without two hexadecimal digits behind it stands for itself, as in files of
/// earlier versions, which did not encode names.
pub fn decode_server_name(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay_and_names_of_old_files_are_read() {
        for name in ["home", "alice@10.0.0.5:7000", "küche", "a-b_c.d"] {
            assert_eq!(encode_server_name(name), name);
        }
        assert_eq!(encode_server_name("a/b, 50%"), "a%2Fb%2C%2050%25");
        for (old, name) in [("50%", "50%"), ("50%off", "50%off"), ("a%ff", "a%ff"), ("a/b", "a/b")] {
            assert_eq!(decode_server_name(old), name);
        }
    }

    proptest! {
        #[test]
        fn each_name_is_read_as_it_was_written(name in "\\PC{0,20}|[%/, 0-9a-f\\n]{0,20}") {
            let encoded = encode_server_name(&name);
            prop_assert!(!encoded.contains(['/', ',', ' ', '\n']));
            prop_assert_eq!(decode_server_name(&encoded), name);
        }
    }
}
