import Foundation
import Runtimes
import Synchronization

/// Takes what a service writes: stores it, remembers its last lines, and looks for the pattern of a `log` probe.
final class ServiceLog: Sendable {
    /// Of ``lastLines()``; a single line is cut to ``lastLineLength`` characters.
    static let lastLineCount = 20
    static let lastLineLength = 2000
    /// Bytes of a line that a pattern is tried on.
    static let matchedBytes = 4096
    /// How the event begins with which a run begins; ``LogSearch`` looks for it.
    static let startText = "started, pid "

    private struct Pattern {
        let text: String
        let regex: Regex<AnyRegexOutput>
        /// Whether a line matched since the last start.
        var hasMatched = false

        /// `nil` for what does not compile, which Blueprints refuses before it comes here.
        init?(_ text: String) {
            guard let regex = try? Regex(text) else { return nil }  // As said above.
            self.text = text
            self.regex = regex
        }

        func matches(_ line: ArraySlice<UInt8>) -> Bool {
            // A match that cannot be evaluated is none.
            (try? regex.firstMatch(in: String(decoding: line.prefix(matchedBytes), as: UTF8.self))) != nil
        }
    }

    private struct State: ~Copyable {
        var writer: LogWriter
        var splitters: [LogLine.Stream: LineSplitter] = [:]
        var last: [String] = []
        var patterns: [Pattern] = []
        var onMatch: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>
    let service: String

    init(service: String, folder: String, settings: LogSettings) {
        self.service = service
        state = Mutex(State(writer: LogWriter(folder: folder, settings: settings)))
    }

    func received(_ bytes: UnsafeRawBufferPointer, on stream: LogLine.Stream) {
        take(stream) { splitter, line in splitter.feed(bytes, line) }
    }

    /// The stream has ended; its unfinished line is a line.
    func ended(_ stream: LogLine.Stream) {
        take(stream) { splitter, line in splitter.finish(line) }
    }

    func event(_ text: String) {
        let bytes = Array(text.replacingOccurrences(of: "\n", with: " ").utf8.prefix(LogFormat.maximumText))
        state.withLock { state in
            var out: [UInt8] = []
            LogFormat.append(bytes, stream: .event, time: Self.now(), to: &out)
            state.writer.write(out, lines: 1)
        }
    }

    /// A new start: forgets the last lines and matches, and looks for these patterns from now on.
    func restart(patterns: [String], onMatch: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.last = []
            state.patterns = patterns.compactMap(Pattern.init)
            state.onMatch = onMatch
        }
    }

    func hasMatched(_ pattern: String) -> Bool {
        state.withLock { $0.patterns.contains { $0.text == pattern && $0.hasMatched } }
    }

    func lastLines() -> [String] { state.withLock { $0.last } }

    private func take(
        _ stream: LogLine.Stream, _ body: (inout LineSplitter, (ArraySlice<UInt8>) -> Void) -> Void
    ) {
        let now = Self.now()
        let matched: (@Sendable () -> Void)? = state.withLock { state in
            var out: [UInt8] = []
            var lines = 0
            var last: [ArraySlice<UInt8>] = []
            var patterns = state.patterns
            var isFound = false
            var splitter = state.splitters[stream] ?? LineSplitter()
            body(&splitter) { line in
                LogFormat.append(line, stream: stream, time: now, to: &out)
                lines += 1
                last.append(line.prefix(Self.lastLineLength * 4))
                if last.count > Self.lastLineCount { last.removeFirst() }
                for index in patterns.indices where !patterns[index].hasMatched && patterns[index].matches(line) {
                    patterns[index].hasMatched = true
                    isFound = true
                }
            }
            state.splitters[stream] = splitter
            state.writer.write(out, lines: lines)
            let texts = last.map { String(String(decoding: $0, as: UTF8.self).prefix(Self.lastLineLength)) }
            state.last = Array((state.last + texts).suffix(Self.lastLineCount))
            state.patterns = patterns
            return isFound ? state.onMatch : nil
        }
        matched?()
    }

    /// Milliseconds since 1970.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
