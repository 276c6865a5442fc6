import CPlatform
import EnvironmentGraph
import Files
import Foundation
import Glibc
import Runtimes

/// What the control socket asks for.
extension Supervisor {
    func apply(_ workload: Workload) async throws {
        try Self.validate(workload)
        var plain = workload
        plain.secretEnv = [:]
        let name = workload.service
        let before = entries[name]
        // Generations only grow: what comes late was overtaken.
        if let before, before.workload.generation > workload.generation { return }
        let isKnown = before?.workload.generation == workload.generation && before?.stopRequested == false
        if !isKnown {
            entries[name] = DesiredState.Entry(
                workload: plain, hasSecrets: !workload.secretEnv.isEmpty, ended: nil, stopRequested: false)
            do {
                try await writer.save(state)
            } catch {
                entries[name] = before
                throw error
            }
            guard !isEnding else { throw SupervisorEnding() }
        }
        let service = services[name] ?? makeService(plain, secrets: workload.secretEnv)
        services[name] = service
        if !isKnown || service.machine.phase == .waitingForSecrets { service.secrets = workload.secretEnv }
        send(.apply(plain, hasSecrets: true), to: service)
    }

    private static func validate(_ workload: Workload) throws {
        for name in [workload.service] + workload.volumes.map(\.name) where !EnvironmentFolder.isUsable(name) {
            throw RuntimeError(.invalidWorkload, "`\(name.prefix(100))` cannot be the name of a service or volume")
        }
        guard !workload.command.isEmpty else {
            throw RuntimeError(.invalidWorkload, "service \(workload.service) has no command")
        }
        let words = workload.command + workload.build + Array(workload.env.values) + Array(workload.secretEnv.values)
        let names = Array(workload.env.keys) + Array(workload.secretEnv.keys)
        guard !words.contains(where: { $0.utf8.contains(0) }),
            !names.contains(where: { $0.isEmpty || $0.contains("=") || $0.utf8.contains(0) })
        else {
            throw RuntimeError(
                .invalidWorkload, "service \(workload.service): a word or variable holds a character it cannot hold")
        }
        if let user = workload.user { _ = try ServiceAccount.named(user) }
        guard SignalName.number(of: workload.stopSignal) != nil else {
            throw RuntimeError(.invalidWorkload, "`\(workload.stopSignal)` is no signal (stopSignal)")
        }
    }

    /// What somebody else did to the supervisor's file.
    func irregularities() async throws -> [Irregularity] {
        guard try await writer.isForeign() else { return [] }
        return [
            Irregularity(
                .fileChanged,
                message: "somebody else changed or removed \(folder.workloads), where it is kept what should run")
        ]
    }

    func rewrite() async throws { try await writer.save(state) }

    func stop(_ name: String) async throws {
        guard let service = services[name] else { return }
        entries[name]?.stopRequested = true
        send(.stop, to: service)
        try await writer.save(state)
        await until { service.machine.hasEnded || !service.machine.stopRequested }
        if service.machine.status.state == .failed, let message = service.machine.status.message {
            throw RuntimeError(.leftOver, "service \(name): \(message)")
        }
    }

    /// Stops everything at the same time; what should run stays on disk.
    func stopAll() async {
        isEnding = true
        for service in services.values { send(.stop, to: service) }
        await until { services.values.allSatisfy(\.machine.hasEnded) }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            reap()
            let left = ProcessTable.descendants(of: [getpid()], in: ProcessTable.all()).filter { !$0.isZombie }
            if left.isEmpty { return }
            for entry in left { kill(entry.pid, SIGKILL) }
            // Cancelling only shortens the pause.
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// What lives although ``stopAll()`` is over.
    func leftOver() -> [String] {
        ProcessTable.descendants(of: [getpid()], in: ProcessTable.all()).filter { !$0.isZombie }
            .map { "pid \($0.pid) (\($0.name))" }
    }

    func run(_ command: RuntimeCommand, in name: String) async throws -> RuntimeCommandResult {
        try await execute(command, .run, name)
    }

    /// Runs a command in a service's folder, user and environment.
    func execute(
        _ command: RuntimeCommand, _ purpose: ProcessMark.Purpose, _ name: String
    ) async throws -> RuntimeCommandResult {
        guard let service = services[name] else {
            throw RuntimeError(.notFound, "there is no service \(name) in \(folder.environment)")
        }
        guard service.machine.phase != .waitingForSecrets else {
            throw RuntimeError(.unavailable, "service \(name) waits for its secrets; apply it again")
        }
        let output = TailBuffer(limit: 64 << 10)
        let (pipe, end) = try OutputPipe.make(onBytes: { output.append($0) })
        let pid: pid_t
        do {
            defer { close(end) }
            pid = try startCommand(command, purpose, service, output: end)
        } catch {
            pipe.release()
            throw error
        }
        add(pipe)
        let timeout = OneWayFlag()
        // Ended below, when the command has ended.
        let timer = Task {
            // A cancelled pause means that the command ended in time.
            guard (try? await Task.sleep(for: .milliseconds(Milliseconds.of(seconds: command.timeoutSeconds)))) != nil
            else {
                return
            }
            timeout.set()
            self.killCommand(pid)
        }
        let code: Int32 = await withCheckedContinuation { continuation in
            onExit[pid] = { continuation.resume(returning: $0) }
        }
        CrashPoint.pass("after a command ended")
        timer.cancel()
        pipe.finish()
        return RuntimeCommandResult(exitCode: code, output: output.text, timedOut: timeout.isSet)
    }

    /// Its group, unless it has ended and its pid may be another's.
    private func killCommand(_ pid: pid_t) {
        if onExit[pid] != nil { kill(-pid, SIGKILL) }
    }

    private func startCommand(
        _ command: RuntimeCommand, _ purpose: ProcessMark.Purpose, _ service: SupervisedService, output: Int32
    ) throws -> pid_t {
        let bytes = Array(command.input.utf8)
        let input =
            bytes.isEmpty
            ? open("/dev/null", O_RDONLY | O_CLOEXEC)
            : bytes.withUnsafeBytes { msx_memory_file($0.baseAddress, $0.count) }
        guard input >= 0 else {
            throw RuntimeError(.unavailable, "cannot hand over the input: \(String(cString: strerror(errno)))")
        }
        defer { close(input) }
        let preparation = service.prepare(folder)
        let spawn = try preparation.spawn(
            command.command, purpose, extra: command.extraEnv, input: input, output: output, error: output)
        do {
            let pid = try spawn.start()
            CrashPoint.pass("after a command was started")
            return pid
        } catch {
            throw RuntimeError(.invalidWorkload, preparation.describe(error, spawn))
        }
    }
}
