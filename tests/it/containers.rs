//! Containers: whatever the rows come in, they are the same rows; and what is cut, damaged, forged or foreign is refused by its name,
//! never read short.

use crate::ingest::{Row, canon, checked_zst, csv, lenient, read_one, read_with, sha256, two_rows, zipped, zst};
use alongside::ingest::container::{self, Beside, Kind, footer};
use alongside::ingest::inputs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd";

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("gzip in memory");
    encoder.finish().expect("gzip in memory")
}

pub fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).expect("bzip2 in memory");
    encoder.finish().expect("bzip2 in memory")
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).expect("xz in memory");
    encoder.write_all(bytes).expect("xz in memory");
    encoder.finish().expect("xz in memory")
}

/// An xz file whose dictionary is said to have the size of `code`, with true checksums.
fn xz_of_dictionary(bytes: &[u8], code: u8) -> Vec<u8> {
    let mut file = xz(bytes);
    assert_eq!(file[14..16], [0x21, 1], "the filter of the first block");
    file[16] = code;
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..20]);
    file[20..24].copy_from_slice(&crc.sum().to_le_bytes());
    file
}

fn zip64(bytes: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    writer.start_file("a.csv", options).expect("zip in memory");
    writer.write_all(bytes).expect("zip in memory");
    writer.finish().expect("zip in memory").into_inner()
}

fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        writer.start_file(*name, options).expect("zip in memory");
        writer.write_all(bytes).expect("zip in memory");
    }
    writer.finish().expect("zip in memory").into_inner()
}

/// Every container around the same bytes, by name.
fn all(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![("gz", gz(plain)), ("bz2", bz2(plain)), ("xz", xz(plain)), ("zst", checked_zst(plain)), ("zip", zipped(&[("a.csv", plain)])), ("zip64", zip64(plain))]
}

/// All streams of a file as it is opened by the program, one behind the other.
fn decoded(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, String> {
    std::fs::write(path, bytes).expect("a file");
    let mut out = Vec::new();
    for mut stream in container::open(path).map_err(|e| e.to_string())? {
        stream.reader.read_to_end(&mut out).map_err(|e| e.to_string())?;
    }
    Ok(out)
}

/// Positions where bytes stand in others.
fn places(bytes: &[u8], of: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|k| bytes[*k..].starts_with(of)).collect()
}

#[test]
fn every_container_gives_the_same_rows() {
    let plain = two_rows();
    let (one, two) = plain.split_at(plain.len() / 2);
    let expected = canon(&read_one(&plain));
    assert_eq!(expected.len(), 2);
    let mut cases = all(&plain);
    for (what, pack) in [("gz twice", gz as fn(&[u8]) -> Vec<u8>), ("bz2 twice", bz2), ("xz twice", xz), ("zst twice", zst)] {
        cases.push((what, [pack(one), pack(two)].concat()));
        cases.push((what, [pack(b""), pack(one), pack(b""), pack(two), pack(b"")].concat()));
    }
    cases.push(("gz and zeros", [gz(&plain), vec![0; 3000]].concat()));
    cases.push(("xz and padding", [xz(one), vec![0; 8], xz(two), vec![0; 4]].concat()));
    cases.push(("xz of 128 MiB", xz_of_dictionary(&plain, 30)));
    cases.push(("zst between frames to skip", [SKIPPABLE, &zst(one), SKIPPABLE, SKIPPABLE, &zst(two), SKIPPABLE].concat()));
    for (what, inner) in all(&plain).into_iter().filter(|(what, _)| !what.starts_with("zip")) {
        cases.push((what, zipped(&[("__MACOSX/a", b"x"), ("a.csv", &inner)])));
        cases.push((what, stored(&[("a.csv", &inner)])));
    }
    for (what, bytes) in cases {
        // The name does not matter.
        let delivery = read_with(&[("download", &bytes)], &lenient());
        assert!(delivery.refused.is_empty(), "{what}: {:?}", delivery.refused);
        assert_eq!(canon(&delivery), expected, "{what}");
        let account = &delivery.accounts[0];
        assert_eq!((account.rows, account.bytes, account.sha256.clone()), (2, bytes.len() as u64, sha256(&bytes)), "{what}");
    }
}

#[test]
fn a_file_of_many_pieces_comes_whole() {
    let mut plain = csv(&[]);
    (0..60_000).for_each(|k| plain.extend_from_slice(format!("{}\n", Row::of(366_000_000 + k).line()).as_bytes()));
    assert!(plain.len() > 6 << 20);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (what, bytes) in all(&plain) {
        assert!(decoded(&folder.path().join("a"), &bytes).expect(what) == plain, "{what}");
        let cut = &bytes[..bytes.len() - 30];
        assert!(decoded(&folder.path().join("a"), cut).is_err(), "{what}: cut behind many pieces that decode well");
    }
}

#[test]
fn a_file_cut_at_any_byte_is_an_error() {
    let plain = two_rows();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a");
    for (what, bytes) in all(&plain) {
        for n in 0..bytes.len() {
            let cut = &bytes[..n];
            match decoded(&path, cut) {
                // Too short to tell what it is: no header of any layout.
                Ok(got) if n < 6 && got == cut => {
                    let delivery = read_with(&[("cut", cut)], &lenient());
                    assert!(delivery.refused.len() == 1 && delivery.refused[0].to_string().contains("cut"), "{what}: {n} bytes");
                }
                got => assert!(got.is_err(), "{what}: {n} of {} bytes were read as if whole", bytes.len()),
            }
        }
        // Behind a whole one, a piece of a second, which may be two bytes long.
        for n in (1..bytes.len()).filter(|_| !what.starts_with("zip")) {
            assert!(decoded(&path, &[&bytes[..], &bytes[..n]].concat()).is_err(), "{what}: a second of {n} bytes");
        }
    }
}

#[test]
fn a_damaged_byte_is_an_error_or_changes_nothing() {
    let plain = two_rows();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a");
    for (what, bytes) in all(&plain) {
        for k in 0..bytes.len() {
            for mask in [1 << (k % 8), 0xff] {
                let mut bad = bytes.clone();
                bad[k] ^= mask;
                match decoded(&path, &bad) {
                    Ok(got) if Kind::of(&bad) == Kind::Plain && got == bad => {
                        assert_eq!(read_with(&[("bad", &bad)], &lenient()).refused.len(), 1, "{what}: byte {k}");
                    }
                    Ok(got) => assert!(got == plain, "{what}: byte {k} with {mask:#x} gives other rows"),
                    Err(_) => {}
                }
            }
        }
    }
}

#[test]
fn what_must_not_be_read_is_refused_with_the_reason() {
    let plain = two_rows();
    // A sound row and a gulf of empty lines: a ratio that no day of traffic has.
    let bomb = [&plain[..], &vec![b'\n'; 140 << 20][..]].concat();
    let pair = stored(&[("a.csv", &plain), ("b.csv", &plain)]);
    let renamed = {
        let mut bytes = pair.clone();
        places(&pair, b"b.csv").into_iter().for_each(|k| bytes[k] = b'a');
        bytes
    };
    let overlapping = {
        let mut bytes = pair.clone();
        let second = places(&pair, b"PK\x01\x02")[1];
        bytes[second + 42..second + 46].fill(0);
        bytes
    };
    let concealing = {
        // The directory ends before the second member.
        let mut bytes = pair.clone();
        let (second, end) = (places(&pair, b"PK\x01\x02")[1], places(&pair, b"PK\x05\x06")[0]);
        let first = places(&pair, b"PK\x01\x02")[0];
        bytes[end + 8] = 1;
        bytes[end + 10] = 1;
        bytes[end + 12..end + 16].copy_from_slice(&((second - first) as u32).to_le_bytes());
        bytes.drain(second..end);
        bytes
    };
    let folder_of_bytes = {
        let mut bytes = stored(&[("a.csv", &plain), ("b_", &plain)]);
        places(&bytes, b"b_").into_iter().for_each(|k| bytes[k + 1] = b'/');
        bytes
    };
    let foreign = {
        let mut bytes = zipped(&[("a.csv", &plain)]);
        for (signature, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let k = places(&bytes, signature)[0] + at;
            bytes[k] = 97;
        }
        bytes
    };
    let tar = [vec![b'a'; 257], b"ustar".to_vec(), vec![0; 250]].concat();
    let bad_sum = |mut bytes: Vec<u8>, from_end: usize| {
        let k = bytes.len() - from_end;
        bytes[k] ^= 1;
        bytes
    };
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("gz with rubbish behind it", [gz(&plain), b"MMSI".to_vec()].concat(), "bytes behind the end of the gzip data", "download it again"),
        ("gz with rubbish behind zeros", [gz(&plain), vec![0; 300_000], vec![1]].concat(), "bytes behind the end of the gzip data", "download it again"),
        ("gz with a wrong sum", bad_sum(gz(&plain), 8), "cut off or damaged", "download it again"),
        ("gz with a wrong length", bad_sum(gz(&plain), 1), "cut off or damaged", "download it again"),
        ("bz2 with rubbish behind it", [bz2(&plain), b"rubbish".to_vec()].concat(), "cut off or damaged", "download it again"),
        ("xz with rubbish behind it", [xz(&plain), b"rubbish".to_vec()].concat(), "cut off or damaged", "download it again"),
        ("xz with a gap of three bytes", [xz(&plain), vec![0; 3]].concat(), "cut off or damaged", "download it again"),
        ("xz of 192 MiB", xz_of_dictionary(&plain, 31), "an xz dictionary of more than 128 MiB", "convert it"),
        ("xz of 4 GiB", xz_of_dictionary(&plain, 40), "an xz dictionary of more than 128 MiB", "convert it"),
        ("bomb in gz", gz(&bomb), "unpacks to more than 200 times its size", "convert it"),
        ("bomb in zst", zst(&bomb), "unpacks to more than 200 times its size", "convert it"),
        ("bomb in zst in zip", zipped(&[("a.csv", &zst(&bomb))]), "unpacks to more than 200 times its size", "convert it"),
        ("gz in gz", gz(&gz(&plain)), "gzip data inside another container", "convert it"),
        ("zip in gz", gz(&zipped(&[("a.csv", &plain)])), "a zip archive inside another container", "convert it"),
        ("zip in zip", zipped(&[("a.zip", &zipped(&[("a.csv", &plain)]))]), "a.zip: a zip archive inside another container", "convert it"),
        ("Parquet", b"PAR1, and so on".to_vec(), "it does not begin and end as a Parquet file", "download it again"),
        ("Parquet in zip", zipped(&[("a.csv", b"PAR1, and so on")]), "a.csv: a Parquet file inside another container", "unpack it"),
        ("Parquet in gz", gz(b"PAR1, and so on"), "a Parquet file inside another container", "unpack it"),
        ("tar", tar.clone(), "a tar archive; this version reads CSV", "unpack it"),
        ("tar in xz", xz(&tar), "a tar archive inside another container", "unpack it"),
        ("7z", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "a 7z archive; this version reads CSV", "unpack it"),
        ("nothing in gz", gz(b""), "the file is empty", "download it again"),
        ("nothing in zst", zst(b""), "the file is empty", "download it again"),
        ("nothing but a frame to skip", SKIPPABLE.to_vec(), "the file is empty", "download it again"),
        ("a name twice", renamed, "two files in the archive have the same name", "unpack it"),
        ("overlap", overlapping, "files in the archive overlap", "unpack it"),
        ("a member concealed", concealing, "cut off or damaged", "download it again"),
        ("bytes in a folder", folder_of_bytes, "folder `b/` holds bytes", "unpack it"),
        ("a method of its own", foreign, "a.csv: it is packed in a way that this version does not read", "unpack it"),
    ];
    for (what, bytes, message, hint) in cases {
        let good = csv(&[Row::of(366_000_009)]);
        let delivery = read_with(&[("file", &bytes), ("good.csv", &good)], &lenient());
        assert_eq!(delivery.refused.len(), 1, "{what}");
        let e = &delivery.refused[0];
        assert!(e.to_string().contains("file") && e.to_string().contains(message) && e.hint().contains(hint), "{what}: {e}; {}", e.hint());
        // Nothing of the bad file, everything of the good one.
        assert_eq!((delivery.accounts.len(), delivery.accounts[0].rows, canon(&delivery).len()), (1, 1, 1), "{what}");
    }
}

/// Java and Python write a folder as a deflated nothing, which takes two bytes.
#[test]
fn a_folder_of_a_deflated_nothing_is_a_folder() {
    let mut bytes = zipped(&[("b_", b""), ("b_a.csv", &csv(&[Row::of(366_000_001)]))]);
    places(&bytes, b"b_").into_iter().for_each(|k| bytes[k + 1] = b'/');
    assert_eq!(places(&bytes, b"b/\x03\x00").len(), 1, "two bytes behind its name");
    let delivery = read_one(&bytes);
    assert_eq!((delivery.refused.len(), canon(&delivery).len()), (0, 1), "{:?}", delivery.refused);
}

#[test]
fn a_member_that_is_none_fails_by_itself() {
    let [one, two] = [366_000_001, 366_000_002].map(|mmsi| csv(&[Row::of(mmsi)]));
    let bytes = zipped(&[
        ("readme.txt", b"These data were collected by\n"),
        ("one.csv", &one),
        ("about.pdf", b"%PDF-1.7\n%\xe2\xe3"),
        ("inner.zip", &zipped(&[("x.csv", &two)])),
        ("two.csv.zst", &zst(&two)),
        ("cut.csv.gz", &gz(&two)[..40]),
    ]);
    let delivery = read_with(&[("a.zip", &bytes)], &lenient());
    let rows: Vec<u64> = delivery.accounts.iter().map(|a| a.rows).collect();
    assert_eq!((rows, canon(&delivery).len()), (vec![1, 1], 2));
    let said: Vec<String> = delivery.refused.iter().map(ToString::to_string).collect();
    let expected = [
        ("a.zip/readme.txt", "no known AIS layout"),
        ("a.zip/about.pdf", "no known AIS layout"),
        ("a.zip/inner.zip", "inside another container"),
        ("a.zip/cut.csv.gz", "cut off or damaged"),
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, (name, why)) in said.iter().zip(expected) {
        assert!(said.contains(name) && said.contains(why), "{said}");
    }
}

#[test]
fn a_decoder_that_stops_is_no_end() {
    let read = |beside: Beside| {
        let (mut beside, mut out) = (beside, Vec::new());
        let first = beside.read_to_end(&mut out).map_err(|e| e.to_string());
        (first, beside.read(&mut [0]).map_err(|e| e.to_string()))
    };
    let whole = Beside::new(|feed| feed.pour(&mut &b"MMSI"[..], &|| 4));
    assert_eq!(read(whole), (Ok(4), Ok(0)));
    let failing = Beside::new(|feed| {
        feed.pour(&mut &b"MMSI"[..], &|| 4)?;
        Err(io::Error::other("a checksum"))
    });
    let lost = "its decoder stopped before the end".to_owned();
    assert_eq!(read(failing), (Err("a checksum".to_owned()), Err(lost.clone())));
    let broken = Beside::new(|feed| {
        feed.pour(&mut &b"MMSI"[..], &|| 4)?;
        std::panic::resume_unwind(Box::new("without a word on standard error"))
    });
    assert_eq!(read(broken), (Err(lost.clone()), Err(lost)));
    // Nobody has to read on.
    let mut endless = Beside::new(|feed| feed.pour(&mut io::repeat(b'a'), &|| u64::MAX));
    assert_eq!(endless.read(&mut [0; 9]).expect("nine of them"), 9);
}

#[test]
fn a_folder_is_read_by_the_ends_of_its_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let taken = ["a.csv", "b.CSV.gz", "c.bz2", "d.csv.xz", "e.csv.zst", "f.zip", "g.txt", "h.nmea", "i.aivdm", "j.parquet", "k.geoparquet"];
    let passed = ["l.json", "m.md", "n.pdf", "o", "p.csv.part"];
    for name in taken.iter().chain(&passed).chain(&[".hidden.csv", "manifest.json", "tracks.parquet", "rejects.csv"]) {
        std::fs::write(folder.path().join(name), b"x").expect("a file");
    }
    let at = |path: &Path| inputs::find(&[path.display().to_string()]);
    let found = at(folder.path()).expect("files");
    let names: Vec<String> = found.files.iter().map(|f| f.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!((names, found.passed_over), (taken.map(str::to_owned).to_vec(), passed.len()));
    for name in taken {
        std::fs::remove_file(folder.path().join(name)).expect("it was there");
    }
    let e = at(folder.path()).expect_err("nothing of AIS").to_string();
    assert!(e.ends_with("no AIS file found there; 5 files of other names are passed over"), "{e}");
}

/// A Parquet file around a footer.
fn parquet(footer: &[u8]) -> Vec<u8> {
    [b"PAR1", footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn a_parquet_footer_that_lies_is_found_out() {
    let says = |bytes: &[u8]| footer(&mut Cursor::new(bytes)).map(|f| (f.offset, f.length)).map_err(|e| e.to_string());
    // version 1, an empty schema, no rows, no row groups.
    let sound = [0x15, 2, 0x19, 0x0c, 0x16, 0, 0x19, 0x0c, 0];
    assert_eq!(says(&parquet(&sound)), Ok((4, 9)));
    let whole = parquet(&sound);
    for n in 0..whole.len() {
        assert!(says(&whole[..n]).is_err(), "{n} bytes of it");
    }
    let nested = [vec![0x1c; 40], vec![0; 41]].concat();
    let lists = [vec![0x19], vec![0x19; 40], vec![0x13, 0]].concat();
    let long = {
        let mut bytes = parquet(&sound);
        let n = bytes.len();
        bytes[n - 8..n - 4].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "too few"),
        ("eleven bytes", vec![b'P'; 11], "too few"),
        ("no Parquet", vec![b'x'; 40], "does not begin and end"),
        ("a footer longer than the file", long, "a footer of 4294967295 bytes"),
        ("no footer", parquet(b""), "promises more than it holds"),
        // Nineteen bytes that ask for a list of 2^31 schema elements.
        ("a list of two thousand million", parquet(&[0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]), "promises more than it holds"),
        ("a text of the same length", parquet(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]), "promises more than it holds"),
        ("a map of the same length", parquet(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x55, 0]), "promises more than it holds"),
        ("a number without an end", parquet(&[0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), "promises more"),
        ("forty structures deep", parquet(&nested), "promises more than it holds"),
        ("forty lists deep", parquet(&lists), "promises more than it holds"),
        ("a type that does not exist", parquet(&[0x1e, 0]), "promises more than it holds"),
        ("bytes behind its end", parquet(&[&sound[..], b"x"].concat()), "bytes behind the end"),
    ];
    for (what, bytes, message) in cases {
        let said = says(&bytes).expect_err(what);
        assert!(said.contains(message), "{what}: {said}");
    }
}
