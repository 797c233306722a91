//! Files as anybody may have written them: a good one with pieces cut out, copied about, or overwritten with noise.

use proptest::prelude::*;

/// A text that once was a good one.
pub fn mangled(good: &'static str) -> impl Strategy<Value = String> {
    let noise = prop_oneof![
        "\\PC{0,8}",
        "[\\[\\]{}\",:0-9.eE+-]{0,8}",
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("\\u0000\u{1}\u{202e}".to_owned()),
        (0..300_usize).prop_map(|depth| "[".repeat(depth)),
        (0..300_usize).prop_map(|depth| "{\"a\":".repeat(depth)),
    ];
    let cut = (
        any::<prop::sample::Index>(),
        0..40_usize,
        any::<prop::sample::Index>(),
        0..200_usize,
        prop::option::of(noise),
    );
    prop::collection::vec(cut, 0..4).prop_map(|cuts| {
        let mut text = good.to_owned();
        for (at, length, from, copied, noise) in cuts {
            let [start, from] = [at, from].map(|it| it.index(text.len() + 1));
            let piece = |start: usize, end: usize| {
                let [start, end] = [start, end.max(start)].map(|it| text.floor_char_boundary(it));
                &text[start..end]
            };
            let pasted = noise.unwrap_or_else(|| piece(from, from + copied).to_owned());
            text = format!("{}{pasted}{}", piece(0, start), piece(start + length, usize::MAX));
        }
        text
    })
}
