//! MODE: replies and announcements stay as small as the change.

use super::driver::Driver;

#[test]
fn refused_mode_change_has_one_error_reply() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #c");
    for outside in [true, false] {
        if !outside {
            d.send_line(bo, "JOIN #c");
        }
        let numeric = if outside { " 442 bo #c " } else { " 482 bo #c " };
        for change in
            ["+iiii".repeat(450), "+imnstCkl-v x 3 bo".to_owned(), "+ohvq-beI bo bo bo al x y z".to_owned()]
        {
            let replies = d.send_line(bo, &format!("MODE #c {change}"));
            assert!(replies.contains(numeric) && replies.lines().count() == 1, "{change}: {replies}");
        }
        assert!(d.send_line(bo, "MODE #c +oo nobody nobody").lines().count() == 1);
    }
    d.take_output(al);
    // Unknown letters are named, but not without end.
    let letters: String = ('\u{4e00}'..'\u{5000}').collect();
    assert_eq!(d.send_line(al, &format!("MODE #c {letters}")).lines().count(), 13);
}

#[test]
fn only_net_mode_change_is_announced() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #c");
    d.send_line(bo, "JOIN #c");
    d.take_output(al);
    for nothing in
        ["+i-i".repeat(470), "+v-v bo bo".to_owned(), "+b-b x x".to_owned(), "+kl-kl k 3 k".to_owned()]
    {
        let before = d.records.len();
        assert_eq!(d.send_line(al, &format!("MODE #c {nothing}")), "", "{nothing}");
        assert_eq!(d.take_output(bo), "", "{nothing}");
        let audited = d.records.iter().skip(before).filter(|record| format!("{record:?}").contains("Audit"));
        assert_eq!(audited.count(), 0, "{nothing}");
    }
    let mut made = |change: &str| d.send_line(al, &format!("MODE #c {change}"));
    assert_eq!(made("+i-i+i-i+m"), ":al!al@parlour MODE #c +m\r\n");
    assert_eq!(made("+kl-k+k one 3 one two"), ":al!al@parlour MODE #c +lk 3 two\r\n");
    assert_eq!(made("-k+kl x two 4"), ":al!al@parlour MODE #c +l 4\r\n");
    assert!(made("").contains(" 324 al #c +mnkl two 4\r\n"));
    d.take_output(bo);
    let before = d.records.len();
    d.send_line(al, &format!("MODE al {}", "+B-B".repeat(200)));
    assert_eq!((d.take_output(bo), d.records.len()), (String::new(), before));
}

#[test]
fn invalid_mode_changes_get_errors() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #c");
    d.send_line(bo, "JOIN #c");
    d.send_line(al, "MODE #c +q bo");
    // A founder is always shown as an op.
    assert!(d.send_line(al, "MODE #c -o bo").contains(" 482 al #c "));
    // More parameters than MODES allows.
    let letters = "e".repeat(14);
    let masks: Vec<String> = (0..14).map(|n| format!("m{n}")).collect();
    assert!(
        d.send_line(al, &format!("MODE #c +{letters}")).contains(" 349 "),
        "letters without masks ask for the list"
    );
    let replies =
        d.send_line(al, &format!("MODE #c +{letters}t {}", masks.get(..13).expect("many").join(" ")));
    assert!(
        replies.contains(" 696 al #c e * ") && replies.contains("MODE #c +eeeeeeeeeeeeet m0!*@*"),
        "{replies}"
    );
    let replies = d.send_line(al, &format!("MODE #c +{}{} {}", "v".repeat(13), "o", "bo ".repeat(14)));
    assert!(replies.contains(" 696 al #c o * "), "{replies}");
    // Values that are needed and missing.
    let replies = d.send_line(al, "MODE #c +klo-v+m");
    for letter in ["k", "l", "o", "v"] {
        let reply = format!(" 696 al #c {letter} * :You must specify a parameter for this mode\r\n");
        assert!(replies.contains(&reply), "{replies}");
    }
    assert!(replies.ends_with(":al!al@parlour MODE #c +m\r\n") && replies.lines().count() == 5, "{replies}");
    assert_eq!(d.send_line(al, "MODE #c -kl"), "", "removal needs no value");
    // A founder who has left.
    d.send_line(bo, "PART #c");
    assert!(d.send_line(bo, "MODE #c -q bo").contains(" 442 bo #c "));
}
