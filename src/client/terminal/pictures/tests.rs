//! Pictures of every kind through decoding and encoding, and hostile ones.

use std::io::Cursor;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icy_sixel::SixelImage;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use proptest::prelude::*;
use ratatui::layout::Size;

use super::decode::{DecodeError, Decoded, decode, place_on_ground};
use super::detection::Protocol;
use super::render::{Form, render};
use crate::client::screen::view::pictures::Dimensions;

/// Corners of the test picture, clockwise from the upper left.
const CORNERS: [Rgba<u8>; 4] =
    [Rgba([255, 0, 0, 255]), Rgba([0, 255, 0, 255]), Rgba([0, 0, 255, 255]), Rgba([255, 255, 0, 255])];

/// A picture whose quarters have the colours of its corners.
fn quarters(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => CORNERS[0],
        (false, true) => CORNERS[1],
        (false, false) => CORNERS[2],
        (true, false) => CORNERS[3],
    })
}

fn encode(picture: RgbaImage, format: ImageFormat) -> Vec<u8> {
    let picture = DynamicImage::from(picture);
    let picture = if format == ImageFormat::Jpeg { picture.into_rgb8().into() } else { picture };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// Puts EXIF with an orientation behind the start of a JPEG.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[orientation, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    let length = u16::try_from(tiff.len() + 8).expect("short").to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

/// Returns the colours near the four corners, clockwise from the upper left, each as the nearest of [`CORNERS`].
fn corners(picture: &RgbaImage) -> Vec<usize> {
    let (right, bottom) = (picture.width() * 7 / 8, picture.height() * 7 / 8);
    let (left, top) = (picture.width() / 8, picture.height() / 8);
    let nearest = |(x, y): (u32, u32)| {
        let found = picture.get_pixel(x, y).0;
        let distance = |at: &usize| -> u32 {
            CORNERS[*at].0.iter().zip(found).map(|(one, other)| u32::from(one.abs_diff(other))).sum()
        };
        let nearest = (0..4).min_by_key(distance).expect("four");
        assert!(distance(&nearest) < 100, "{found:?}");
        nearest
    };
    [(left, top), (right, top), (right, bottom), (left, bottom)].map(nearest).to_vec()
}

fn shown(bytes: &[u8]) -> Decoded {
    decode(bytes).expect("a picture")
}

#[test]
fn each_type_is_decoded() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let decoded = shown(&encode(quarters(64, 32), format));
        assert_eq!(decoded.dimensions, Dimensions { width: 64, height: 32 });
        assert_eq!(corners(&decoded.pixels.to_rgba8()), [0, 1, 2, 3], "{format:?}");
    }
}

#[test]
fn pictures_are_turned_upright() {
    // Corners of the picture as it is stored, for each orientation of EXIF.
    for (orientation, expected) in [
        (1, [0, 1, 2, 3]),
        (2, [1, 0, 3, 2]),
        (3, [2, 3, 0, 1]),
        (4, [3, 2, 1, 0]),
        (5, [0, 3, 2, 1]),
        (6, [3, 0, 1, 2]),
        (7, [2, 1, 0, 3]),
        (8, [1, 2, 3, 0]),
        (77, [0, 1, 2, 3]),
    ] {
        // Also one that is scaled down before it is turned.
        for (width, height) in [(64, 32), (3200, 400)] {
            let jpeg = with_orientation(&encode(quarters(width, height), ImageFormat::Jpeg), orientation);
            let decoded = shown(&jpeg);
            assert_eq!(corners(&decoded.pixels.to_rgba8()), expected, "{orientation}");
            let is_turned = (5..=8).contains(&orientation);
            let (width, height) = if is_turned { (height, width) } else { (width, height) };
            assert_eq!(decoded.dimensions, Dimensions { width, height }, "{orientation}");
            assert_eq!(decoded.pixels.width() > decoded.pixels.height(), width > height);
        }
    }
}

#[test]
fn what_is_no_picture_or_damaged_is_refused() {
    let png = encode(quarters(64, 64), ImageFormat::Png);
    let jpeg = encode(quarters(64, 64), ImageFormat::Jpeg);
    for bytes in [&b""[..], b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"hello", &png[..40], &jpeg[..30]] {
        assert!(matches!(decode(bytes), Err(DecodeError::Damaged)), "{bytes:?}");
    }
}

#[test]
fn a_picture_that_says_it_is_huge_costs_nothing() {
    let png = encode(quarters(64, 64), ImageFormat::Png);
    for (width, height) in
        [(60_000_u32, 60_000_u32), (16_000, 16_000), (100_000, 1), (0x7fff_ffff, 0x7fff_ffff)]
    {
        let mut bytes = png.clone();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let begin = Instant::now();
        assert!(decode(&bytes).is_err(), "{width}×{height}");
        assert!(begin.elapsed() < Duration::from_secs(2));
    }
    // A GIF of 65535×65535 in a few bytes.
    let gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;";
    assert!(matches!(
        decode(gif),
        Err(DecodeError::TooLarge(..) | DecodeError::Memory | DecodeError::Damaged)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Damage anywhere gives a picture or an error, and no panic.
    #[test]
    fn damaged_pictures_do_no_harm(
        format in prop_oneof![Just(ImageFormat::Png), Just(ImageFormat::Jpeg), Just(ImageFormat::Gif), Just(ImageFormat::WebP)],
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        length in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = encode(quarters(24, 16), format);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(length.index(bytes.len()) + 1);
        if let Ok(decoded) = decode(&bytes) {
            prop_assert!(decoded.pixels.width() <= 2560 && decoded.pixels.height() <= 2560);
        }
    }
}

#[test]
fn a_picture_is_never_enlarged() {
    let decoded = shown(&encode(quarters(40, 20), ImageFormat::Png));
    let ground = place_on_ground(&decoded, Dimensions { width: 100, height: 60 });
    assert_eq!((ground.width(), ground.height()), (100, 60));
    assert_eq!(ground.get_pixel(39, 19), &CORNERS[2]);
    assert_eq!((ground.get_pixel(40, 5).0[3], ground.get_pixel(5, 20).0[3]), (0, 0), "transparent");
}

/// A picture of 80×60 in 8×3 cells of 10×20, and these rows of it.
fn form(rows: std::ops::Range<u16>) -> Form {
    Form { mark: 0x0012_3456, size: Size::new(8, 3), rows, cell: (10, 20) }
}

fn rendered(rows: std::ops::Range<u16>, protocol: Protocol) -> String {
    let decoded = shown(&encode(quarters(80, 60), ImageFormat::Png));
    render(&decoded, &form(rows), protocol).expect("sequences").to_string()
}

#[test]
fn sixel_shows_the_picture() {
    let sixel = rendered(0..3, Protocol::Sixel(256));
    assert!(sixel.starts_with("\u{1b}P") && sixel.ends_with("\u{1b}\\"));
    let back = SixelImage::decode(sixel.as_bytes()).expect("sixel");
    assert_eq!(back.dimensions(), (80, 60));
    let pixels = RgbaImage::from_raw(80, 60, back.pixels).expect("all pixels");
    assert_eq!(corners(&pixels), [0, 1, 2, 3]);
    // Its last row: the lower half alone.
    let back = SixelImage::decode(rendered(2..3, Protocol::Sixel(16)).as_bytes()).expect("sixel");
    // Sixels have six pixels each; of the last ones the rest stays as it is on the screen.
    assert_eq!(back.dimensions(), (80, 24));
    let mut pixels = RgbaImage::from_raw(80, 24, back.pixels).expect("all pixels");
    assert!(pixels.rows().skip(20).flatten().all(|pixel| pixel.0[3] == 0));
    assert_eq!(corners(&image::imageops::crop(&mut pixels, 0, 0, 80, 20).to_image()), [3, 2, 2, 3]);
}

#[test]
fn rows_of_a_box_without_a_part_of_the_picture_are_empty() {
    let decoded = shown(&encode(quarters(80, 30), ImageFormat::Png));
    for protocol in [Protocol::Sixel(256), Protocol::Iterm] {
        let sequences = |rows| render(&decoded, &form(rows), protocol).expect("sequences");
        assert!(!sequences(1..3).is_empty(), "{protocol:?}");
        assert_eq!(sequences(2..3).is_empty(), protocol != Protocol::Iterm, "{protocol:?}");
    }
}

#[test]
fn iterm_gets_a_png_in_its_cells() {
    let sequence = rendered(1..3, Protocol::Iterm);
    let body = sequence
        .strip_prefix("\u{1b}]1337;File=")
        .and_then(|rest| rest.strip_suffix('\u{7}'))
        .expect("a file");
    let (keys, data) = body.split_once(':').expect("data");
    assert!(keys.contains("width=8;height=2;") && keys.contains("doNotMoveCursor=1"), "{keys}");
    let png = STANDARD.decode(data).expect("base64");
    assert!(keys.contains(&format!("size={};", png.len())));
    let back = image::load_from_memory(&png).expect("a picture").to_rgba8();
    assert_eq!((back.width(), back.height()), (80, 40));
}

#[test]
fn kitty_gets_a_png_in_chunks() {
    // Noise, so that it takes several chunks.
    let mut seed = 1_u32;
    let noise = RgbaImage::from_fn(80, 60, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [r, g, b, _] = seed.to_be_bytes();
        Rgba([r, g, b, 255])
    });
    let decoded = shown(&encode(noise.clone(), ImageFormat::Png));
    let sequences = render(&decoded, &form(0..3), Protocol::Kitty).expect("sequences").to_string();
    let chunks: Vec<(&str, &str)> = sequences
        .split_terminator("\u{1b}\\")
        .map(|chunk| {
            chunk.strip_prefix("\u{1b}_G").and_then(|chunk| chunk.split_once(';')).expect("a command")
        })
        .collect();
    assert!(chunks.len() > 1);
    assert_eq!(chunks[0].0, "a=T,U=1,q=2,f=100,t=d,i=1193046,c=8,r=3,m=1");
    assert!(chunks.iter().all(|(_, data)| data.len() <= 4096));
    let (last, middle) = (chunks.last().expect("one"), &chunks[1..chunks.len() - 1]);
    assert!(last.0 == "q=2,m=0" && middle.iter().all(|(keys, _)| *keys == "q=2,m=1"));
    let data: String = chunks.iter().map(|(_, data)| *data).collect();
    let back =
        image::load_from_memory(&STANDARD.decode(data).expect("base64")).expect("a picture").to_rgba8();
    assert_eq!(back, noise);
}

#[test]
fn a_panic_of_a_decoder_is_contained() {
    use super::decode::{contained, is_contained};
    std::thread::spawn(|| {
        assert!(!is_contained());
        assert_eq!(contained(is_contained), Some(true));
        assert!(!is_contained());
        assert_eq!(contained(|| -> u8 { panic!("on purpose") }), None);
        assert!(!is_contained());
    })
    .join()
    .expect("contained");
}
