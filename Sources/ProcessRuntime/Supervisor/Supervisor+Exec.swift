import EnvironmentGraph
import Foundation
import Glibc
import HTTPTransport
import Runtimes

/// A command that somebody watches; belongs to the ``Supervisor`` actor.
struct SupervisedExec {
    /// In ``ProcessMark/sessionVariable`` of everything that the command starts.
    let id: String
    let leader: DetachedProcess
    let streams: ExecStreams
    var isEnding = false
}

/// Commands that run beside a service while somebody watches. Each leads a session of its own; when it ends, or nobody
/// watches any more, all that it started ends too.
extension Supervisor {
    /// How many there may be at once.
    private static let maxExecs = 32
    /// How long the output of a command that has ended may be held open by what it started.
    private static let outputGrace = Duration.milliseconds(500)
    /// Between asking to end and killing.
    private static let endGrace = Duration.seconds(1)
    private static let endLimit = Duration.seconds(10)

    func exec(_ command: ExecCommand, in name: String) throws -> ExecEndpoint {
        guard !isEnding else { throw SupervisorEnding() }
        guard let service = services[name] else {
            throw RuntimeError(.notFound, "\(name) has not been started in \(folder.environment) yet")
        }
        guard service.machine.phase != .waitingForSecrets else {
            throw RuntimeError(
                .unavailable, "\(name) waits for its secrets, as its supervisor was lost", hint: "try again")
        }
        guard entries[name]?.hasSecrets != true || !service.secrets.isEmpty else {
            throw RuntimeError(
                .unavailable, "\(name) has ended and its secrets are not at hand; start its environment again")
        }
        guard execs.count < Self.maxExecs else {
            throw RuntimeError(
                .unavailable, "\(Self.maxExecs) commands run in this environment already, which is as many as may",
                hint: "end one of them, then try again")
        }
        try Self.check(command)
        let id = String(UInt64.random(in: .min ... .max), radix: 36)
        let (streams, ends) = try ExecStreams.make(terminal: command.terminal)
        let pid: pid_t
        do {
            defer { ends.closeAll() }
            pid = try launch(command, id, service, ends)
        } catch {
            streams.release()
            throw error
        }
        let leader = DetachedProcess(running: pid) ?? DetachedProcess(pid: pid, startTime: 0)
        LeaderFile(path: folder.leaders).append(leader)
        execs[id] = SupervisedExec(id: id, leader: leader, streams: streams)
        onExit[pid] = { code in
            streams.exited(code)
            // Ends by itself: within the limits of ``endExec(_:)``.
            Task { await self.leaderEnded(id) }
        }
        streams.start()
        return endpoint(id, streams)
    }

    private static func check(_ command: ExecCommand) throws {
        let words = command.command + command.extraEnv.values
        guard !words.contains(where: { $0.utf8.contains(0) }),
            !command.extraEnv.keys.contains(where: { $0.isEmpty || $0.contains("=") || $0.utf8.contains(0) })
        else {
            throw RuntimeError(.invalidWorkload, "a word or variable of the command holds a character it cannot hold")
        }
        guard command.command.first?.isEmpty == false else {
            throw RuntimeError(.invalidWorkload, "there is no command to run")
        }
    }

    private func launch(
        _ command: ExecCommand, _ id: String, _ service: SupervisedService, _ ends: ExecStreams.Ends
    ) throws -> pid_t {
        let preparation = service.prepare(folder)
        var extra = command.extraEnv
        extra[ProcessMark.sessionVariable] = id
        if command.terminal != nil, extra["TERM"] == nil { extra["TERM"] = "xterm" }
        var spawn = try preparation.spawn(
            command.command, .exec, extra: extra, input: ends.input, output: ends.output, error: ends.error)
        spawn.takesTerminal = command.terminal != nil
        if let account = spawn.account, command.terminal != nil {
            // So that the program can open its own terminal by name; where it cannot be given, only that fails.
            _ = fchown(ends.input, account.uid, gid_t.max)
        }
        do {
            return try spawn.start()
        } catch {
            let text = preparation.describe(error, spawn)
            guard case .exec(let code) = error else { throw RuntimeError(.unavailable, text) }
            throw RuntimeError(code == ENOENT ? .programNotFound : .programNotRunnable, text)
        }
    }

    private func endpoint(_ id: String, _ streams: ExecStreams) -> ExecEndpoint {
        ExecEndpoint(
            write: { try await streams.write($0) }, closeInput: { streams.closeInput() },
            resize: { streams.resize(TerminalSize(columns: $0.columns, rows: $0.rows)) },
            next: {
                switch await streams.next() {
                case .stdout(let bytes): .output(bytes)
                case .stderr(let bytes): .errors(bytes)
                case .exited(let code): .exitCode(code)
                case nil: nil
                }
            },
            cancel: {
                streams.discard()
                await self.cancelExec(id)
            })
    }

    // MARK: The end

    private func cancelExec(_ id: String) {
        guard execs[id] != nil else { return }
        // Ends by itself, within `endLimit`; not under the task of a client that is gone, which is cancelled.
        Task { await self.endExec(id) }
    }

    private func leaderEnded(_ id: String) async {
        let deadline = ContinuousClock.now + Self.outputGrace
        while let exec = execs[id], !exec.streams.outputHasEnded, ContinuousClock.now < deadline {
            // Cancelling only shortens the pause.
            try? await Task.sleep(for: .milliseconds(10))
        }
        await endExec(id)
    }

    /// Asks all that is left to end, then kills it; returns when nothing of it lives.
    private func endExec(_ id: String) async {
        guard let exec = execs[id], !exec.isEnding else { return }
        execs[id]?.isEnding = true
        let start = ContinuousClock.now
        var asked: Set<pid_t> = []
        var pause = 2
        while ContinuousClock.now - start < Self.endLimit {
            reap()
            let targets = processes(of: exec)
            if targets.isEmpty, onExit[exec.leader.pid] == nil { break }
            for target in targets {
                if ContinuousClock.now - start >= Self.endGrace {
                    kill(target.pid, SIGKILL)
                } else if asked.insert(target.pid).inserted {
                    // A shell on a terminal heeds the first, other programs the second; a stopped one must be woken.
                    for signal in [SIGHUP, SIGTERM, SIGCONT] { kill(target.pid, signal) }
                }
            }
            // Cancelling only shortens the pause.
            try? await Task.sleep(for: .milliseconds(pause))
            pause = min(pause * 2, 100)
        }
        exec.streams.finish()
        execs[id] = nil
    }

    /// By descent, by its kernel session, or by the variable that it was started with.
    private func processes(of exec: SupervisedExec) -> [ProcessTable.Entry] {
        let all = ProcessTable.all()
        let ours = ProcessTable.descendants(of: [getpid()], in: all).filter { !$0.isZombie }
        // Its pid may be another's by now; it cannot be while somebody of its session lives.
        let isReused = all.contains { $0.pid == exec.leader.pid && $0.startTime != exec.leader.startTime }
        var roots = Set(
            ours.filter { entry in
                (!isReused && entry.session == exec.leader.pid)
                    || ProcessTable.variable(ProcessMark.sessionVariable, of: entry.pid) == exec.id
            }.map(\.pid))
        if !isReused { roots.insert(exec.leader.pid) }
        let below = Set(ProcessTable.descendants(of: roots, in: all).map(\.pid))
        return ours.filter { roots.contains($0.pid) || below.contains($0.pid) }
    }
}
