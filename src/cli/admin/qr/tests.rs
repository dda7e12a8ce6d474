use super::*;

/// Returns a link as long as that of a machine with eight addresses.
fn link() -> String {
    let hosts: Vec<String> =
        (0..8).map(|n| format!("[2001:db8:1234:5678:9abc:def0:1234:{n}]:6697")).collect();
    let (pin, token) = ("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", "CQkJCQkJCQkJCQkJCQkJCQ");
    format!("parlour://{}/?pin={pin}&token={token}", hosts.join(","))
}

/// Returns the text that a QR reader decodes from an image of `side` pixels.
fn decode(side: usize, dark: impl Fn(usize, usize) -> bool) -> String {
    // Readers do not recognize modules of one pixel.
    const ZOOM: usize = 4;
    let pixel = |x: usize, y: usize| if dark(x / ZOOM, y / ZOOM) { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * ZOOM, side * ZOOM, pixel);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().expect("a code").1
}

/// Returns the modules that a terminal shows, two for each character; `true` is ink.
fn modules(lines: &str) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in lines.lines() {
        let half = |upper: bool| {
            line.chars().map(|c| c == '█' || c == if upper { '▀' } else { '▄' }).collect::<Vec<bool>>()
        };
        rows.extend([half(true), half(false)]);
    }
    rows
}

#[test]
fn terminal_qr_code_decodes_in_any_colours() {
    let code = QrMatrix::encode(&link()).expect("a code");
    let coloured = code.to_terminal_text(true);
    assert!(coloured.lines().all(|line| line.starts_with(ANSI_COLOURS) && line.ends_with(ANSI_RESET)));
    let ink = modules(&coloured.replace(ANSI_COLOURS, "").replace(ANSI_RESET, ""));
    assert_eq!(ink[0].len(), code.columns());
    assert_eq!(decode(ink[0].len(), |x, y| ink.get(y).is_some_and(|row| row[x])), link());
    // Without colours the ink is light.
    let light = modules(&code.to_terminal_text(false));
    assert!(light[..QUIET_ZONE].iter().flatten().all(|&light| light), "a quiet zone");
    assert_eq!(decode(light[0].len(), |x, y| light.get(y).is_some_and(|row| !row[x])), link());
}

#[test]
fn link_with_many_addresses_fits_a_terminal() {
    let usual = "parlour://192.168.178.23:6697,host.local:6697/?pin=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\
                 &token=CQkJCQkJCQkJCQkJCQkJCQ";
    assert!(QrMatrix::encode(usual).expect("a code").columns() <= 60);
    assert!(QrMatrix::encode(&"x".repeat(5000)).is_err());
}

#[test]
fn images_decode_to_the_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let code = QrMatrix::encode(&link()).expect("a code");
    let path = |name: &str| folder.path().join(name);
    for name in ["code.png", "code.SVG"] {
        ImageFile::create(&path(name)).expect(name).write(&code).expect(name);
        assert!(!files::others_access(&path(name)).expect(name).any);
        let before = fs::read(path(name)).expect(name);
        let again = ImageFile::create(&path(name)).err().expect("refused").to_string();
        assert!(again.contains("is there already"), "{again}");
        assert_eq!(fs::read(path(name)).expect(name), before);
    }

    let decoder = png::Decoder::new(io::BufReader::new(File::open(path("code.png")).expect("a file")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bits = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bits).expect("an image");
    assert_eq!(info.width as usize, code.columns() * PIXELS_PER_MODULE);
    let dark = |x: usize, y: usize| bits[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0;
    assert_eq!(decode(info.width as usize, dark), link());

    let svg = fs::read_to_string(path("code.SVG")).expect("text");
    let (_, runs) = svg.split_once("fill=\"#000\" d=\"").expect("a path");
    let (runs, _) = runs.split_once('"').expect("its end");
    let mut ink = vec![vec![false; code.columns()]; code.columns()];
    // A square for each dark module: M{x} {y}h{side}v{side}H{x}V{y}.
    for square in runs.split('M').skip(1) {
        let (x, rest) = square.split_once(' ').expect("x");
        let (y, rest) = rest.split_once('h').expect("y");
        assert!(rest.starts_with(&format!("{PIXELS_PER_MODULE}v{PIXELS_PER_MODULE}H")), "{rest}");
        let (x, y): (usize, usize) = (x.parse().expect("x"), y.parse().expect("y"));
        ink[y / PIXELS_PER_MODULE][x / PIXELS_PER_MODULE] = true;
    }
    assert_eq!(decode(code.columns(), |x, y| ink[y][x]), link());
}

#[test]
fn unwritten_image_file_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("code.png");
    drop(ImageFile::create(&path).expect("made"));
    assert!(!path.exists());
    assert!(parse_image_path("code.jpg").is_err() && parse_image_path("code").is_err());
    let nowhere = ImageFile::create(&folder.path().join("none/code.svg")).err().expect("refused");
    assert!(nowhere.to_string().contains("cannot make"), "{nowhere}");
}
