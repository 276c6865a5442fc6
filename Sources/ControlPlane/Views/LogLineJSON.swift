import API
import Runtimes

/// Log lines as JSON lines: what `JSONEncoder` makes of ``LogLineView``, for millions of them.
struct LogLineJSON {
    /// The last time that was written, as text: many lines share one.
    private var time: (milliseconds: Int64, text: String)?

    mutating func append(_ line: LogLine, to bytes: inout [UInt8]) {
        if time?.milliseconds != line.time { time = (line.time, timestamp(line.time)) }
        bytes += #"{"service":"#.utf8
        Self.append(line.service, to: &bytes)
        bytes += #","stream":""#.utf8
        bytes += line.stream.rawValue.utf8
        bytes += #"","text":"#.utf8
        Self.append(line.text, to: &bytes)
        bytes += #","time":""#.utf8
        bytes += (time?.text ?? "").utf8
        bytes += "\"}\n".utf8
    }

    /// RFC 8259 section 7: quotation mark, reverse solidus and controls are escaped, everything else is as it is.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { source in
            var start = 0
            for (index, byte) in source.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: source[start..<index])
                start = index + 1
                switch byte {
                case 0x22, 0x5C: bytes += [0x5C, byte]
                case 0x09: bytes += #"\t"#.utf8
                case 0x0D: bytes += #"\r"#.utf8
                default: bytes += Array(#"\u00"#.utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
                }
            }
            bytes.append(contentsOf: source[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
