import Glibc
import Runtimes

/// Appends whole lines to a service's segments and rotates them.
///
/// A full disk loses lines and counts them; it never stops the service, and says so when writing works again.
struct LogWriter: ~Copyable {
    private let segments: LogSegments
    private let settings: LogSettings
    private var number: Int
    private var descriptor: Int32 = -1
    private var size = 0
    private var lostLines = 0
    /// The last write ended within a line.
    private var isTorn = false

    init(folder: String, settings: LogSettings) {
        segments = LogSegments(folder: folder)
        self.settings = settings
        number = segments.numbers().last ?? 1
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func write(_ bytes: [UInt8], lines: Int) {
        guard !bytes.isEmpty else { return }
        if descriptor >= 0, size >= settings.segmentBytes { rotate() }
        guard openIfNeeded() else {
            lostLines += lines
            return
        }
        if isTorn { isTorn = !append([UInt8(ascii: "\n")]) }
        guard !isTorn, tellLost(), append(bytes) else {
            lostLines += lines
            close(descriptor)
            // Opened anew for the next lines, which also finds out whether a line was torn.
            descriptor = -1
            return
        }
    }

    /// A line about those that were lost, once writing works again.
    private mutating func tellLost() -> Bool {
        guard lostLines > 0 else { return true }
        var line: [UInt8] = []
        let text = "\(lostLines) lines were lost here: the log could not be written"
        LogFormat.append(text.utf8, stream: .event, time: ServiceLog.now(), to: &line)
        guard append(line) else { return false }
        lostLines = 0
        return true
    }

    private mutating func append(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let written = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            done += written
            size += written
        }
        return true
    }

    private mutating func openIfNeeded() -> Bool {
        guard descriptor < 0 else { return true }
        descriptor = open(segments.path(number), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == ENOENT {
            mkdir(segments.folder, 0o700)
            descriptor = open(segments.path(number), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { return false }
        let end = lseek(descriptor, 0, SEEK_END)
        size = end < 0 ? 0 : Int(end)
        isTorn = size > 0 && !endsWithLineEnd()
        return true
    }

    private func endsWithLineEnd() -> Bool {
        let reader = open(segments.path(number), O_RDONLY | O_CLOEXEC)
        guard reader >= 0 else { return false }
        defer { close(reader) }
        var last: UInt8 = 0
        return pread(reader, &last, 1, off_t(size - 1)) == 1 && last == UInt8(ascii: "\n")
    }

    private mutating func rotate() {
        close(descriptor)
        descriptor = -1
        number += 1
        size = 0
        isTorn = false
        for old in segments.numbers() where old <= number - settings.segments { unlink(segments.path(old)) }
    }
}
