//! Test vectors for texts, which the page in `web/` is tested with too.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the vectors with this name in `tests/data/text.json`.
///
/// # Panics
/// Panics if there are none of this shape.
pub(crate) fn vectors<T: DeserializeOwned>(name: &str) -> T {
    let all: Value =
        serde_json::from_str(include_str!("../../tests/data/text.json")).expect("the vectors are JSON");
    T::deserialize(&all[name]).expect(name)
}
