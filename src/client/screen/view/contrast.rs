//! Contrast of colours, and colours that have enough of it.

use super::rgb::Rgb;

/// Returns the contrast of two colours, from 1 to 21
/// ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)).
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Returns the relative luminance, from 0 to 1 ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)).
fn luminance(colour: Rgb) -> f64 {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
}

/// Returns the colour of a hue whose contrast with a background is at least `least`. Its lightness is the given one, or
/// the nearest that has the contrast. Hue in degrees, saturation and lightness in percent.
pub(super) fn readable_hue(
    hue: usize,
    saturation: usize,
    lightness: usize,
    background: Rgb,
    least: f64,
) -> Rgb {
    let dark = luminance(background) < 0.18;
    let mut lightness = lightness;
    loop {
        let colour = from_hsl(hue, saturation, lightness);
        if contrast(colour, background) >= least || lightness == 0 || lightness >= 100 {
            return colour;
        }
        lightness = if dark { lightness + 1 } else { lightness - 1 };
    }
}

/// Levels of a channel in the cube of 6×6×6 colours of xterm.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Returns one of the 256 colours of xterm; `None` for the first 16, which are the user's own.
pub(super) fn indexed_rgb(index: u8) -> Option<Rgb> {
    match index {
        0..16 => None,
        16..232 => {
            let at = usize::from(index - 16);
            Some(Rgb::new(LEVELS[at / 36], LEVELS[at / 6 % 6], LEVELS[at % 6]))
        }
        232.. => Some(Rgb::grey(8 + 10 * (index - 232))),
    }
}

/// Returns the index of the nearest of xterm's 256 colours: of its cube of 6×6×6, or of its greys.
pub(super) fn nearest_indexed(wanted: Rgb) -> u8 {
    let distance = |index: &u8| -> u32 {
        let known = indexed_rgb(*index).unwrap_or(Rgb::BLACK);
        let channels = wanted.channels().into_iter().zip(known.channels());
        channels.map(|(wanted, known)| u32::from(wanted.abs_diff(known)).pow(2)).sum()
    };
    let level =
        |part: u8| (0_u8..6).min_by_key(|&level| part.abs_diff(LEVELS[usize::from(level)])).unwrap_or(0);
    let [red, green, blue] = wanted.channels().map(level);
    let cube = 16 + 36 * red + 6 * green + blue;
    let greys = 232..=u8::MAX;
    std::iter::once(cube).chain(greys).min_by_key(distance).unwrap_or(cube)
}

/// Converts a hue in degrees, and saturation and lightness in percent, to a colour.
fn from_hsl(hue: usize, saturation: usize, lightness: usize) -> Rgb {
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
    Rgb::new(byte(red), byte(green), byte(blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((contrast(Rgb::BLACK, Rgb::WHITE) - 21.0).abs() < 0.001);
        assert!((contrast(Rgb::WHITE, Rgb::WHITE) - 1.0).abs() < 0.001);
        // The grey that is known for just failing AA on white.
        assert!((contrast(Rgb::grey(0x77), Rgb::WHITE) - 4.48).abs() < 0.01);
    }

    #[test]
    fn colours_are_made_readable_and_found_in_the_palette() {
        for hue in (0..360).step_by(15) {
            for (background, lightness) in [(Rgb::WHITE, 34), (Rgb::BLACK, 70)] {
                let colour = readable_hue(hue, 70, lightness, background, 7.0);
                assert!(contrast(colour, background) >= 7.0, "{hue}");
            }
        }
        for index in [16, 99, 231, 240, 255] {
            assert_eq!(indexed_rgb(nearest_indexed(indexed_rgb(index).expect("known"))), indexed_rgb(index));
        }
        assert_eq!(nearest_indexed(Rgb::new(255, 134, 1)), 208);
        assert_eq!(nearest_indexed(Rgb::grey(128)), 244);
        assert_eq!(nearest_indexed(Rgb::WHITE), 231);
    }
}
