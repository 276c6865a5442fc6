import Blueprints
import EnvironmentGraph
import Runtimes
import Synchronization

/// What calls do, at the moment at which they take effect.
extension SimulatedRuntime {
    func applyNow(_ workload: Workload) throws {
        if let user = workload.user, user.hasPrefix("no-such") {
            throw RuntimeError(.invalidWorkload, "there is no user \(user) here")
        }
        state.withLock { state in
            let (id, name) = (workload.environment, workload.service)
            let before = state.places[id]?.copies[name]
            if let before, before.workload.generation > workload.generation { return }
            if let before, before.workload.generation == workload.generation, !before.stopRequested, !before.waits {
                return
            }
            if before?.hasProcess == true { write(.stopped, name, id, &state) }
            var copy = SimulatedPlace.Copy(
                workload: workload,
                status: WorkloadStatus(
                    service: name, generation: workload.generation, state: .pending, since: clock.now))
            copy.run = (before?.run ?? 0) + 1
            state.places[id, default: SimulatedPlace()].copies[name] = copy
            let lost = workload.volumes.first { volume in
                volume.mustExist && state.places[id]?.volumes.contains("\(name)/\(volume.name)") != true
            }
            if let lost {
                copy.enter(.failed, "the volume \(lost.name) and the data in it are gone", at: clock.now)
                return put(copy, name, id, &state)
            }
            for volume in workload.volumes
            where state.places[id]?.volumes.insert("\(name)/\(volume.name)").inserted == true {
                state.places[id]?.makings["\(name)/\(volume.name)", default: 0] += 1
                write(.volumeCreated(volume.name), name, id, &state)
            }
            begin(name, of: id, in: &state)
        }
    }

    func irregularitiesNow(_ id: EnvironmentID, _ volumes: [VolumeName]) -> [Irregularity] {
        state.withLock { state in
            let place = state.places[id]
            let missing = volumes.filter { place?.volumes.contains("\($0.service)/\($0.name)") != true }
            return missing.map {
                Irregularity(
                    .volumeMissing, service: $0.service, volume: $0.name,
                    message: "the volume \($0.name) of \($0.service) is gone")
            } + (place?.isDamaged == true ? [Irregularity(.fileChanged, message: "its file was changed")] : [])
        }
    }

    func stopNow(_ name: String, of id: EnvironmentID) {
        state.withLock { state in
            guard var copy = state.places[id]?.copies[name] else { return }
            if copy.hasProcess { write(.stopped, name, id, &state) }
            copy.run += 1
            copy.stopRequested = true
            copy.waits = false
            copy.status.exitCode = copy.hasProcess ? 143 : copy.status.exitCode
            copy.enter(.stopped, "stopped", at: clock.now)
            state.places[id]?.copies[name] = copy
            tell(id, state)
        }
    }

    func deleteNow(_ id: EnvironmentID) {
        state.withLock { state in
            guard state.places.removeValue(forKey: id) != nil else { return }
            write(.deleted, "", id, &state)
            tell(id, state)
        }
    }

    /// - Parameter data: what it works on; `nil` for what its service has now.
    func runNow(
        _ command: RuntimeCommand, in name: String, of id: EnvironmentID, on data: String? = nil
    ) throws -> RuntimeCommandResult {
        try state.withLock { state in
            guard let copy = state.places[id]?.copies[name] else {
                throw RuntimeError(.notFound, "there is no service \(name) in \(id)")
            }
            guard !copy.waits else { throw RuntimeError(.unavailable, "service \(name) waits for its secrets") }
            let data = data ?? state.places[id]?.data(of: copy.workload) ?? ""
            if command.command.first == "psql" { return sql(command, name, id, data, &state) }
            guard !random.chance(state.faults.commandFails) else {
                return RuntimeCommandResult(exitCode: 1, output: "simulated failure\n")
            }
            write(.ran(command.command, on: data), name, id, &state)
            return RuntimeCommandResult(exitCode: 0, output: "")
        }
    }

    /// A database that knows its ledger of scripts and nothing else.
    private func sql(
        _ command: RuntimeCommand, _ name: String, _ id: EnvironmentID, _ data: String, _ state: inout State
    ) -> RuntimeCommandResult {
        let statement = command.command.last { $0.contains("microstax.init") && $0.contains("'") } ?? ""
        let key = name + "/" + data + "/" + (statement.split(separator: "'").dropFirst().first.map(String.init) ?? "")
        let known = state.places[id]?.ledger.contains(key) == true
        guard command.command.contains("--single-transaction") else {
            return RuntimeCommandResult(exitCode: 0, output: known ? "1\n" : "0\n")
        }
        guard !known else {
            return RuntimeCommandResult(exitCode: 3, output: "psql:<stdin>:1: ERROR:  duplicate key value\n")
        }
        guard !random.chance(state.faults.commandFails) else {
            return RuntimeCommandResult(exitCode: 3, output: "psql:<stdin>:1: ERROR:  simulated failure\n")
        }
        state.places[id]?.ledger.insert(key)
        write(.applied(script: key, on: data), name, id, &state)
        return RuntimeCommandResult(exitCode: 0, output: "")
    }

    // MARK: The life of a copy

    /// Starts the copy's present run.
    private func begin(_ name: String, of id: EnvironmentID, in state: inout State) {
        guard var copy = state.places[id]?.copies[name] else { return }
        let workload = copy.workload
        copy.waits = false
        let build = workload.build.isEmpty ? nil : SimulatedScript(workload.build)
        log(build?.output ?? [], .build, name, id, &state)
        if let build, build.exitCode != 0 {
            copy.status.lastOutput = build.output
            copy.enter(.failed, "build exited with \(build.exitCode ?? 0)", at: clock.now)
            put(copy, name, id, &state)
            return
        }
        guard !SimulatedScript.isMissing(workload.command) else {
            copy.enter(.failed, "no such program: \(workload.command.first ?? "")", at: clock.now)
            put(copy, name, id, &state)
            return
        }
        write(.started(generation: workload.generation), name, id, &state)
        copy.enter(.starting, at: clock.now)
        copy.status.pid = Int32(copy.run)
        put(copy, name, id, &state)
        let script = SimulatedScript(workload.command)
        log(script.output, .stdout, name, id, &state)
        let run = copy.run
        later(random.milliseconds(state.faults.startMilliseconds), name, id, run) { runtime, state in
            if let code = script.exitCode {
                runtime.ended(name, of: id, run: run, code: code, in: &state)
            } else {
                runtime.probe(name, of: id, in: &state)
            }
        }
    }

    /// Readiness: passes, or never does.
    private func probe(_ name: String, of id: EnvironmentID, in state: inout State) {
        guard var copy = state.places[id]?.copies[name] else { return }
        let (probes, run) = (copy.workload.probes, copy.run)
        if let reason = Self.refusal(probes.readiness) ?? (random.chance(state.faults.neverReady) ? "no answer" : nil) {
            let limit = (probes.readiness?.periodSeconds ?? 1) * Double(probes.readiness?.failureThreshold ?? 5)
            later(.seconds(limit), name, id, run) { runtime, state in
                guard var copy = state.places[id]?.copies[name] else { return }
                runtime.write(.ended, name, id, &state)
                copy.status.pid = nil
                copy.enter(.failed, "readiness: \(reason)", at: runtime.clock.now)
                runtime.put(copy, name, id, &state)
            }
            return
        }
        copy.enter(.ready, at: clock.now)
        put(copy, name, id, &state)
        if let liveness = probes.liveness, Self.refusal(liveness) != nil {
            let limit = liveness.periodSeconds * Double(liveness.failureThreshold)
            later(.seconds(limit), name, id, run) { $0.ended(name, of: id, run: run, code: 137, in: &$1) }
        } else if random.chance(state.faults.crash) {
            later(random.milliseconds(1...60_000), name, id, run) { $0.ended(name, of: id, run: run, code: 3, in: &$1) }
        }
    }

    private static func refusal(_ probe: ProbeSpec?) -> String? {
        guard case .exec(let command) = probe?.check else { return nil }
        let script = SimulatedScript(command)
        guard let code = script.exitCode, code != 0 else { return nil }
        return (["exec exited with \(code)"] + script.output).joined(separator: ": ")
    }

    /// The copy's process is gone; its policy says what follows.
    func ended(_ name: String, of id: EnvironmentID, run: Int, code: Int32, in state: inout State) {
        guard var copy = state.places[id]?.copies[name], copy.run == run else { return }
        write(.ended, name, id, &state)
        let wasReady = copy.status.state == .ready
        copy.run += 1
        copy.status.pid = nil
        copy.status.exitCode = code
        let message = "exited with \(code)"
        switch (copy.workload.restart, code) {
        case (.never, _), (.onFailure, 0):
            copy.enter(code == 0 ? .stopped : .failed, message, at: clock.now)
        case (.always, _), (.onFailure, _):
            let isHopeless = !wasReady && copy.status.restarts >= 2
            copy.status.lastOutput = SimulatedScript(copy.workload.command).output
            copy.enter(isHopeless ? .failed : .restarting, message, at: clock.now)
            guard !isHopeless else { break }
            copy.status.restarts += 1
            later(.milliseconds(min(100 << min(copy.status.restarts, 8), 30_000)), name, id, copy.run) {
                $0.begin(name, of: id, in: &$1)
            }
        }
        put(copy, name, id, &state)
    }

    // MARK: Parts

    /// Does something later, where the copy is still in the same run then.
    private func later(
        _ delay: Duration, _ name: String, _ id: EnvironmentID, _ run: Int,
        _ body: @escaping @Sendable (SimulatedRuntime, inout State) -> Void
    ) {
        clock.after(delay) { [weak self] in
            guard let self else { return }
            self.state.withLock { state in
                guard state.places[id]?.copies[name]?.run == run else { return }
                body(self, &state)
            }
        }
    }

    private func put(_ copy: SimulatedPlace.Copy, _ name: String, _ id: EnvironmentID, _ state: inout State) {
        state.places[id]?.copies[name] = copy
        tell(id, state)
    }

    func tell(_ id: EnvironmentID, _ state: borrowing State) {
        guard let listeners = state.listeners[id], !listeners.isEmpty else { return }
        let statuses = state.places[id]?.statuses ?? []
        for (_, listener) in listeners { listener.yield(statuses) }
    }

    func write(_ kind: SideEffect.Kind, _ name: String, _ id: EnvironmentID, _ state: inout State) {
        guard state.keepsJournal else { return }
        state.journal.append(SideEffect(time: clock.now, environment: id.rawValue, service: name, kind: kind))
    }

    private func log(
        _ lines: [String], _ stream: LogLine.Stream, _ name: String, _ id: EnvironmentID, _ state: inout State
    ) {
        for line in lines {
            state.places[id]?.logs.append(LogLine(time: clock.now, service: name, stream: stream, text: line))
        }
    }
}

extension SimulatedPlace.Copy {
    mutating func enter(_ next: WorkloadStatus.State, _ message: String? = nil, at now: Int64) {
        if status.state != next { status.since = now }
        status.state = next
        status.message = message
        if next == .stopped || next == .failed { status.pid = nil }
    }
}
