import Foundation
import Glibc

/// `leaders.jsonl`: the processes that a supervisor started, each of which leads a session of its own; a line for each.
///
/// Programs that set their title (Redis, PostgreSQL) write over the memory that `/proc/<pid>/environ` shows, and their
/// mark is gone. When their supervisor is killed, they are found by this file: the pid with its start time and the boot
/// names one process for good, and everything below it or in its session is its own.
struct LeaderFile: Sendable {
    private static let limit = 1 << 20

    let path: String

    /// Not synced: a power cut ends the process as well.
    func append(_ process: DetachedProcess) {
        // Numbers and a name always encode.
        guard let line = try? JSONEncoder().encode(process) else { return }
        SmallFile.append(String(decoding: line, as: UTF8.self), to: path)
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > Self.limit else { return }
        let living = living(among: ProcessTable.all()).map { DetachedProcess(pid: $0.pid, startTime: $0.startTime) }
        let lines = living.compactMap { try? JSONEncoder().encode($0) }  // as above
        // The records stay in the longer file then.
        try? SmallFile.write(lines.flatMap { Array($0) + [UInt8(ascii: "\n")] }, to: path, durably: false)
    }

    /// The recorded processes that still run.
    func living(among all: [ProcessTable.Entry]) -> [ProcessTable.Entry] {
        recorded(among: all).filter { !$0.isZombie }
    }

    /// The recorded processes that still have their pid, also when they have ended.
    func recorded(among all: [ProcessTable.Entry]) -> [ProcessTable.Entry] {
        let records = (SmallFile.read(path) ?? []).split(separator: UInt8(ascii: "\n")).compactMap { line in
            // A torn line after a crash: its process still has its mark.
            try? JSONDecoder().decode(DetachedProcess.self, from: Data(line))
        }
        let started = records.filter { $0.bootID == ProcessTable.bootID }
            .reduce(into: [pid_t: Set<UInt64>]()) { $0[$1.pid, default: []].insert($1.startTime) }
        return all.filter { started[$0.pid]?.contains($0.startTime) == true }
    }
}
