import Foundation
import Glibc

/// What `/proc` says about the processes of this machine just now.
enum ProcessTable {
    struct Entry: Sendable, Hashable {
        var pid: pid_t
        var parent: pid_t
        var group: pid_t
        var session: pid_t
        /// Field 22 of `/proc/<pid>/stat`, in clock ticks since boot: with the pid it names one process for good.
        var startTime: UInt64
        var isZombie: Bool
        var name: String
        /// Fields 14 to 17: user and system time of the process and of its children that were waited for, in clock ticks.
        var cpuTicks: UInt64
        /// Field 24, in bytes.
        var residentBytes: Int64
    }

    static func all() -> [Entry] {
        guard let stream = opendir("/proc") else { return [] }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let item = readdir(stream) {
            guard item.pointee.d_name.0 >= 49, item.pointee.d_name.0 <= 57 else { continue }
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = pid_t(name), let entry = entry(pid) { entries.append(entry) }
        }
        return entries
    }

    /// `nil` when there is no such process.
    static func entry(_ pid: pid_t) -> Entry? {
        guard let bytes = SmallFile.read("/proc/\(pid)/stat", limit: 4096) else { return nil }
        // The name stands in parentheses and may hold anything, parentheses too.
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 21, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
            let session = pid_t(fields[3]), let start = UInt64(fields[19])
        else { return nil }
        return Entry(
            pid: pid, parent: parent, group: group, session: session, startTime: start,
            isZombie: fields[0] == "Z" || fields[0] == "X",
            name: String(decoding: bytes[(open + 1)..<close], as: UTF8.self),
            cpuTicks: fields[11...14].reduce(0) { $0 &+ (UInt64($1) ?? 0) },
            residentBytes: (Int64(fields[21]) ?? 0) * pageBytes)
    }

    private static let pageBytes = Int64(sysconf(Int32(_SC_PAGESIZE)))

    /// What of a process is in memory, where pages that it shares with others count by their share (`Pss` of
    /// proc_pid_smaps(5)); `nil` where that may not be read. The kernel walks all its pages for this.
    static func proportionalBytes(of pid: pid_t) -> Int64? {
        guard let text = SmallFile.text("/proc/\(pid)/smaps_rollup") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 << 10 }
        }
        return nil
    }

    /// All that descend from these processes, without themselves.
    static func descendants(of roots: Set<pid_t>, in all: [Entry]) -> [Entry] {
        let children = Dictionary(grouping: all, by: \.parent)
        var found: [Entry] = []
        var seen = roots
        var open = Array(roots)
        while let pid = open.popLast() {
            for child in children[pid] ?? [] where seen.insert(child.pid).inserted {
                found.append(child)
                open.append(child.pid)
            }
        }
        return found
    }

    /// The value of a variable in the environment that the process was started with; `nil` also where that may not be
    /// read.
    static func variable(_ name: String, of pid: pid_t) -> String? {
        guard let bytes = SmallFile.read("/proc/\(pid)/environ", limit: 4 << 20) else { return nil }
        let prefix = Array((name + "=").utf8)
        for entry in bytes.split(separator: 0) where entry.starts(with: prefix) {
            return String(decoding: entry.dropFirst(prefix.count), as: UTF8.self)
        }
        return nil
    }

    /// Where a descriptor of the process leads, such as `pipe:[123]`.
    static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { text in
                // The buffer is not empty, so it has an address.
                readlink(path, text.baseAddress!, text.count)
            }
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Names this run of the machine.
    static let bootID = (SmallFile.text("/proc/sys/kernel/random/boot_id") ?? "").filter { !$0.isWhitespace }
}
