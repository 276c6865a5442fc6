import Blueprints
import CPlatform
import EnvironmentGraph
import Files
import Foundation
import Glibc
import Runtimes

/// One method for each action of the state machine.
extension Supervisor {
    func perform(_ action: ServiceAction, _ service: SupervisedService) {
        switch action {
        case .note(let text):
            service.log.event(text)
        case .build:
            build(service)
        case .start:
            start(service)
        case .signal:
            if let pid = service.mainPid {
                remember(service)
                kill(-pid, SignalName.number(of: service.machine.workload.stopSignal) ?? SIGTERM)
            }
        case .watchGroup:
            watchGroup(service)
        case .killAll:
            killAll(service)
        case .probe(let kind, let run):
            probe(kind, run: run, service)
        }
    }

    // MARK: - Starting

    /// Makes the service's surroundings ready beside the actor, which goes on probing and reaping meanwhile: emptying a
    /// volume of many files takes long. `done` is not called when the service was to be cleaned up meanwhile.
    private func prepare(
        _ service: SupervisedService, checksPorts: Bool, isNewGeneration: Bool,
        _ done: @escaping (isolated Supervisor, SupervisedService, Result<Void, any Error>) -> Void
    ) {
        let preparation = service.prepare(folder, volumesMade: entries[service.name]?.volumesMade ?? [])
        service.preparation += 1
        let (number, queue) = (service.preparation, service.preparing)
        // Ends by itself: with the preparation.
        Task {
            let result: Result<Void, any Error>
            do {
                try await OffPool.run(on: queue) {
                    if checksPorts { try preparation.checkPorts() }
                    try preparation.prepareVolumes(isNewGeneration: isNewGeneration)
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            guard service.preparation == number else { return }
            if case .success = result { remember(volumesOf: service.machine.workload) }
            done(self, service, result)
        }
    }

    private func remember(volumesOf workload: Workload) {
        let made = Set(workload.volumes.filter { $0.kind == .pvc }.map(\.name))
        guard !made.isEmpty, let entry = entries[workload.service], entry.workload.generation == workload.generation,
            entry.volumesMade != made
        else { return }
        entries[workload.service]?.volumesMade = made
        writer.saveSoon(state)
    }

    private func build(_ service: SupervisedService) {
        service.log.restart(patterns: [], onMatch: {})
        prepare(service, checksPorts: false, isNewGeneration: false) { supervisor, service, result in
            do {
                try result.get()
                try supervisor.launchBuild(service)
            } catch {
                service.log.event("\(error)")
                supervisor.send(.buildEnded(exitCode: 127, lastOutput: ["\(error)"]), to: service)
            }
        }
    }

    private func launchBuild(_ service: SupervisedService) throws {
        let name = service.name
        let pid = try launch(service.machine.workload.build, .build, service, streams: [.build, .build])
        service.buildPid = pid
        onExit[pid] = { [weak service] code in
            guard let service else { return }
            service.buildPid = nil
            service.drain()
            self.send(.buildEnded(exitCode: code, lastOutput: service.log.lastLines()), to: name)
        }
    }

    private func start(_ service: SupervisedService) {
        let workload = service.machine.workload
        let buildLines = workload.build.isEmpty ? [] : service.log.lastLines()
        service.log.restart(patterns: Self.patterns(workload)) { [weak self, name = service.name] in
            // Ends by itself: one call of the actor.
            Task { await self?.send(.logMatched, to: name) }
        }
        let isNewGeneration = service.preparedGeneration != workload.generation
        prepare(service, checksPorts: true, isNewGeneration: isNewGeneration) { supervisor, service, result in
            do {
                try result.get()
                service.preparedGeneration = workload.generation
                // Something else was asked for meanwhile, which the machine knows.
                guard service.machine.after == nil else {
                    return supervisor.send(.notStarted("not started", lastOutput: []), to: service)
                }
                supervisor.noteUser(service)
                let pid = try supervisor.launch(workload.command, .main, service, streams: [.stdout, .stderr])
                service.mainPid = pid
                supervisor.send(.started(pid: pid), to: service)
            } catch {
                supervisor.send(.notStarted("\(error)", lastOutput: buildLines), to: service)
            }
        }
    }

    private func noteUser(_ service: SupervisedService) {
        guard let user = service.machine.workload.user, geteuid() != 0 else { return }
        let own = ServiceAccount.current()
        guard user != own.name, user != String(own.uid) else { return }
        service.log.event("runs as \(own.name), not as \(user): only a server that runs as root can change users")
    }

    private static func patterns(_ workload: Workload) -> [String] {
        [workload.probes.startup, workload.probes.readiness, workload.probes.liveness].compactMap { probe in
            guard let probe, case .log(let pattern) = probe.check else { return nil }
            return pattern
        }
    }

    private func launch(
        _ command: [String], _ purpose: ProcessMark.Purpose, _ service: SupervisedService, streams: [LogLine.Stream]
    ) throws -> pid_t {
        let log = service.log
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        var ends: [Int32] = [input]
        defer { for end in ends where end >= 0 { close(end) } }
        var pipes: [OutputPipe] = []
        for stream in streams {
            let (pipe, end) = try OutputPipe.make(
                onBytes: { log.received($0, on: stream) }, onEnd: { log.ended(stream) })
            ends.append(end)
            pipes.append(pipe)
        }
        let preparation = service.prepare(folder)
        do {
            let spawn = try preparation.spawn(command, purpose, input: input, output: ends[1], error: ends[2])
            do {
                CrashPoint.pass("before a process is started")
                // Before it runs its program, which may hide its mark at once.
                let leaders = LeaderFile(path: folder.leaders)
                let pid = try spawn.start { pid in
                    CrashPoint.pass("before a process is recorded")
                    if let leader = DetachedProcess(running: pid) { leaders.append(leader) }
                }
                CrashPoint.pass("after a process was started")
                service.pipes = pipes
                // Before its output is read, so that it stands before its first line.
                if purpose == .main { log.event("\(ServiceLog.startText)\(pid)") }
                pipes.forEach(add)
                return pid
            } catch {
                throw RuntimeError(.invalidWorkload, preparation.describe(error, spawn))
            }
        } catch {
            pipes.forEach { $0.release() }
            throw error
        }
    }

    // MARK: - Ends

    /// Takes every ended child: main processes, builds, commands, and orphans that this process inherited.
    func reap() {
        var ended = msx_ended()
        while msx_reap(&ended) == 1 {
            let (pid, code) = (ended.pid, ended.exit_code)
            countEnded(ended)
            if let service = services.values.first(where: { $0.mainPid == pid }) {
                mainEnded(service, pid: pid, code: code)
            } else if let handler = onExit.removeValue(forKey: pid) {
                handler(code)
            }
        }
    }

    private func mainEnded(_ service: SupervisedService, pid: pid_t, code: Int32) {
        service.mainPid = nil
        CrashPoint.pass("after a process ended")
        ExitRecord(
            service: service.name, generation: service.machine.workload.generation, pid: pid, exitCode: code,
            time: now()
        ).append(to: folder.exits)
        service.drain()
        service.watchedGroup = pid
        send(.exited(code, lastOutput: service.log.lastLines()), to: service)
    }

    private func watchGroup(_ service: SupervisedService) {
        guard let group = service.watchedGroup else { return }
        let name = service.name
        // Ends when the group is empty or the machine has gone on.
        Task {
            while self.isStopping(name, group: group) {
                self.reap()
                if kill(-group, 0) != 0 { break }
                guard ProcessTable.all().contains(where: { $0.group == group && !$0.isZombie }) else { break }
                // Cancelling only shortens the pause.
                try? await Task.sleep(for: .milliseconds(10))
            }
            if self.isStopping(name, group: group) { self.send(.groupEmpty, to: name) }
        }
    }

    private func isStopping(_ name: String, group: pid_t) -> Bool {
        guard let service = services[name], service.watchedGroup == group else { return false }
        if case .stopping = service.machine.phase { return true }
        return false
    }

    private func killAll(_ service: SupervisedService) {
        service.cleaning += 1
        service.preparation += 1
        let (name, cleaning) = (service.name, service.cleaning)
        // Ends by itself: within ten seconds, or when a later cleaning has begun.
        Task { await self.killUntilGone(name, cleaning) }
    }

    private func killUntilGone(_ name: String, _ cleaning: Int) async {
        let deadline = ContinuousClock.now + .seconds(10)
        var pause = 1
        while let service = services[name], service.cleaning == cleaning {
            reap()
            let targets = processes(of: service)
            for target in targets { kill(target.pid, SIGKILL) }
            if targets.isEmpty, service.mainPid == nil, service.buildPid == nil {
                service.pipes.forEach { $0.finish() }
                return send(.cleanedUp(leftOver: nil), to: service)
            }
            if ContinuousClock.now > deadline {
                let list = targets.map { "pid \($0.pid) (\($0.name))" }.joined(separator: ", ")
                return send(.cleanedUp(leftOver: list.isEmpty ? "its main process" : list), to: service)
            }
            // Cancelling only shortens the pause.
            try? await Task.sleep(for: .milliseconds(pause))
            pause = min(pause * 2, 20)
        }
    }
}
