import API
import Foundation
import Runtimes
import Testing

@testable import ControlPlane

@Suite struct LogLineJSONTests {
    @Test func whatIsWrittenByHandIsWhatTheDecoderReads() throws {
        let everything = String((0..<0x250).compactMap { UnicodeScalar($0).map(Character.init) }) + "😀\u{2028}\\\"/"
        var json = LogLineJSON()
        for text in ["", "plain", everything, "tab\tand\r", "\u{7F}\u{1B}[31mred"] {
            for time: Int64 in [0, 1_795_204_800_123] {
                var bytes: [UInt8] = []
                json.append(LogLine(time: time, service: "a-b", stream: .stderr, text: text), to: &bytes)
                #expect(bytes.last == UInt8(ascii: "\n"))
                #expect(bytes.dropLast().allSatisfy { $0 >= 0x20 })
                let view = try JSONDecoder().decode(LogLineView.self, from: Data(bytes))
                #expect(view == LogLineView(time: timestamp(time), service: "a-b", stream: "stderr", text: text))
            }
        }
    }
}
