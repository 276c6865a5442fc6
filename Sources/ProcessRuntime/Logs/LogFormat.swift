import Runtimes

/// One line on disk: `<timestamp> <stream> <text>\n`, so that `grep -a`, `sort` and `tail` work on the files.
///
/// Text is written byte by byte as the service wrote it, without `\n` and a `\r` before it; a reader replaces what is no
/// UTF-8.
enum LogFormat {
    /// Of a line's text, with the mark of a cut.
    static let maximumText = 64 << 10
    static let cutMark = Array(" [cut]".utf8)

    static func append(_ text: some Sequence<UInt8>, stream: LogLine.Stream, time: Int64, to bytes: inout [UInt8]) {
        LogTimestamp.append(time, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: stream.rawValue.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// `nil` for what is no line of ours (the rest of a torn write).
    static func parse(_ bytes: ArraySlice<UInt8>, service: String) -> LogLine? {
        guard let time = LogTimestamp.parse(bytes) else { return nil }
        let rest = bytes.dropFirst(LogTimestamp.length + 1)
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let stream = LogLine.Stream(rawValue: String(decoding: rest[..<space], as: UTF8.self))
        else { return nil }
        let text = String(decoding: rest[(space + 1)...], as: UTF8.self)
        return LogLine(time: time, service: service, stream: stream, text: text)
    }
}
