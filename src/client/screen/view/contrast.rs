//! Contrast of colours, and colours that have enough of it.

use std::sync::LazyLock;

use ratatui::style::Color;

/// Returns the contrast of two colours, from 1 to 21
/// ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)).
pub(super) fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Returns the relative luminance, from 0 to 1 ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)).
fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    /// Linear value of each value of a channel: names are coloured in each frame.
    static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
        std::array::from_fn(|channel| {
            let value = u8::try_from(channel).map_or(1.0, |channel| f64::from(channel) / 255.0);
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    });
    let linear = |channel: u8| LINEAR[usize::from(channel)];
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// Returns the colour of a hue whose contrast with a background is at least `least`. Its lightness is the given one, or
/// the nearest that has the contrast. Hue in degrees, saturation and lightness in percent.
pub(super) fn readable_hue(
    hue: usize,
    saturation: usize,
    lightness: usize,
    background: (u8, u8, u8),
    least: f64,
) -> Color {
    let dark = luminance(background) < 0.18;
    let mut lightness = lightness;
    loop {
        let (r, g, b) = from_hsl(hue, saturation, lightness);
        if contrast((r, g, b), background) >= least || lightness == 0 || lightness >= 100 {
            return Color::Rgb(r, g, b);
        }
        lightness = if dark { lightness + 1 } else { lightness - 1 };
    }
}

/// Returns red, green and blue of one of the 256 colours of xterm; `None` for the first 16, which are the user's own.
pub(super) fn indexed_rgb(index: u8) -> Option<(u8, u8, u8)> {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => None,
        16..232 => {
            let at = usize::from(index - 16);
            Some((LEVELS[at / 36], LEVELS[at / 6 % 6], LEVELS[at % 6]))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            Some((grey, grey, grey))
        }
    }
}

/// Returns the index of the colour of xterm that is nearest to a colour.
pub(super) fn nearest_indexed(wanted: (u8, u8, u8)) -> u8 {
    let distance = |index: &u8| {
        let known = indexed_rgb(*index).unwrap_or_default();
        [(wanted.0, known.0), (wanted.1, known.1), (wanted.2, known.2)]
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .iter()
            .sum::<u32>()
    };
    (16..=u8::MAX).min_by_key(distance).unwrap_or(16)
}

/// Converts a hue in degrees, and saturation and lightness in percent, to a colour.
fn from_hsl(hue: usize, saturation: usize, lightness: usize) -> (u8, u8, u8) {
    // Thousandths instead of fractions give the same result on every machine.
    let light = lightness * 10;
    let chroma = (1000 - (2 * light).abs_diff(1000)) * saturation / 100;
    let middle = chroma * (60 - (hue % 120).abs_diff(60)) / 60;
    let base = light - chroma / 2;
    let (red, green, blue) = match hue / 60 {
        0 => (chroma, middle, 0),
        1 => (middle, chroma, 0),
        2 => (0, chroma, middle),
        3 => (0, middle, chroma),
        4 => (middle, 0, chroma),
        _ => (chroma, 0, middle),
    };
    let byte = |part: usize| u8::try_from((part + base) * 255 / 1000).unwrap_or(u8::MAX);
    (byte(red), byte(green), byte(blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.001);
        assert!((contrast((255, 255, 255), (255, 255, 255)) - 1.0).abs() < 0.001);
        // The grey that is known for just failing AA on white.
        assert!((contrast((0x77, 0x77, 0x77), (255, 255, 255)) - 4.48).abs() < 0.01);
    }

    #[test]
    fn colours_are_made_readable_and_found_in_the_palette() {
        for hue in (0..360).step_by(15) {
            for (background, lightness) in [((255, 255, 255), 34), ((0, 0, 0), 70)] {
                let Color::Rgb(r, g, b) = readable_hue(hue, 70, lightness, background, 7.0) else {
                    panic!("a colour by its parts")
                };
                assert!(contrast((r, g, b), background) >= 7.0, "{hue}");
            }
        }
        for index in [16, 99, 231, 240, 255] {
            assert_eq!(indexed_rgb(nearest_indexed(indexed_rgb(index).expect("known"))), indexed_rgb(index));
        }
        assert_eq!(nearest_indexed((255, 134, 1)), 208);
    }
}
