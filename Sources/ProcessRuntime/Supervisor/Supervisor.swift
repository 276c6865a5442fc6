import CPlatform
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes

/// The supervisor takes no requests any more; whoever asked may ask the next one.
struct SupervisorEnding: Error {}

/// The driver of an environment's ``ServiceMachine``s: carries out their actions and tells them what happened.
/// All that is known of processes is known here, and only here are ended ones reaped: a pid that is signalled has not
/// been given to another process.
actor Supervisor {
    let folder: EnvironmentFolder
    let mark: ProcessMark
    let logSettings: LogSettings
    let writer: DesiredWriter
    var services: [String: SupervisedService] = [:]
    var entries: [String: DesiredState.Entry] = [:]
    /// What to do when a process that is no main process ends, by pid.
    var onExit: [pid_t: (Int32) -> Void] = [:]
    /// Commands that somebody watches, by their session's id.
    var execs: [String: SupervisedExec] = [:]
    var isEnding = false
    /// When it was last looked what the services use.
    var measuredAt: Int64?
    /// Processor time is counted since then.
    let countingSince = SteadyClock.now()

    private var pump: OutputPump?
    private var published: [WorkloadStatus] = []
    private var watchers: [Int: AsyncThrowingStream<[UInt8], any Error>.Continuation] = [:]
    private var nextWatcher = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var timer = WakeTimer()
    private var pause: Task<Void, Never>?
    /// Requests that are being answered; the supervisor does not end under them.
    private var requests = 0
    private var heartbeat = 0
    private var idleSince: ContinuousClock.Instant?
    private let ended = AsyncStream<Void>.makeStream()

    init(folder: EnvironmentFolder, logSettings: LogSettings) {
        self.folder = folder
        self.logSettings = logSettings
        mark = ProcessMark(folder: folder)
        writer = DesiredWriter(path: folder.workloads)
    }

    /// Milliseconds since 1970 by a clock that never jumps (set once at the start).
    func now() -> Int64 { SteadyClock.now() }

    // MARK: - Start and end

    /// Takes over what is on disk: kills what an earlier supervisor left running, then starts what should run.
    func resume(signals: Int32) async throws {
        let pump = OutputPump(signals: signals) { [weak self] number in
            // Ends by itself: one call of the actor.
            Task { await self?.signalled(number) }
        }
        self.pump = pump
        pump.start()
        let found = try DesiredState.load(folder.workloads)
        // Also where the file is gone: what runs would stand in the way of what is applied.
        let left = await mark.killStrays()
        if left.isEmpty { await mark.untilReaped() }
        guard let state = found else { return }
        writer.trust()
        let exits = ExitRecord.load(folder.exits)
        for entry in state.entries {
            entries[entry.workload.service] = entry
            let service = makeService(entry.workload, secrets: [:])
            services[service.name] = service
            for process in left { service.log.event("pid \(process.pid) of an earlier run could not be killed") }
            if let ended = entry.ended {
                service.machine = ServiceMachine(
                    ended: ended, entry.workload, stopRequested: entry.stopRequested, seed: seed())
            } else {
                let last = exits.last { $0.service == service.name && $0.generation == entry.workload.generation }
                takeOver(service, entry, lastExit: last?.exitCode)
            }
        }
        changed()
    }

    private func takeOver(_ service: SupervisedService, _ entry: DesiredState.Entry, lastExit: Int32?) {
        service.log.event("taken over by a new supervisor")
        service.machine.remember(exitCode: lastExit)
        if let lastExit, let ended = ServiceMachine.finalStatus(of: entry.workload, exitCode: lastExit, at: now()) {
            service.machine = ServiceMachine(ended: ended, entry.workload, stopRequested: false, seed: seed())
        } else {
            send(.apply(entry.workload, hasSecrets: !entry.hasSecrets), to: service)
        }
    }

    /// Returns when the supervisor has nothing more to do in this process.
    func untilEnd() async {
        for await _ in ended.stream {}
    }

    func end() {
        isEnding = true
        for watcher in watchers.values { watcher.finish() }
        watchers = [:]
        pause?.cancel()
        ended.continuation.finish()
    }

    /// Called now and then: keeps watchers' connections alive, ends a supervisor that is not needed.
    func housekeeping(idleLimit: Duration) async {
        heartbeat += 1
        if isDismissed, !isEnding {
            SupervisorLog.write("\(folder.record) is gone; ending")
            return await stopAllAndEnd()
        }
        if heartbeat.isMultiple(of: 20) {
            for watcher in watchers.values { watcher.yield(ControlCoding.line(published)) }
        }
        reap()
        if heartbeat.isMultiple(of: 5) {
            rememberAll()
        }
        guard services.values.allSatisfy(\.machine.hasEnded), onExit.isEmpty, execs.isEmpty, requests == 0,
            watchers.isEmpty
        else {
            idleSince = nil
            return
        }
        let since = idleSince ?? .now
        idleSince = since
        if ContinuousClock.now - since >= idleLimit { end() }
    }

    /// Carries out one request; none is begun while the supervisor ends.
    func counted<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        guard !isEnding else { throw SupervisorEnding() }
        requests += 1
        idleSince = nil
        defer { requests -= 1 }
        return try await body()
    }

    private func signalled(_ number: Int32) async {
        if number == SIGCHLD { reap() }
        if number == SIGTERM { await stopAllAndEnd() }
    }

    func stopAllAndEnd() async {
        await stopAll()
        end()
    }

    /// Whether someone removed the folder, or put another supervisor in charge.
    private var isDismissed: Bool {
        if let record = SupervisorRecord.load(folder.record) { return record.pid != getpid() }
        return access(folder.record, F_OK) != 0 && errno == ENOENT
    }

    // MARK: - Events

    func makeService(_ workload: Workload, secrets: [String: String]) -> SupervisedService {
        let log = ServiceLog(
            service: workload.service, folder: folder.logs(of: workload.service), settings: logSettings)
        return SupervisedService(ServiceMachine(workload, seed: seed()), secrets: secrets, log: log)
    }

    private func seed() -> UInt64 { UInt64.random(in: .min ... .max) }

    func send(_ event: ServiceEvent, to service: SupervisedService) {
        for action in service.machine.handle(event, at: now()) { perform(action, service) }
        changed()
    }

    func send(_ event: ServiceEvent, to name: String) {
        if let service = services[name] { send(event, to: service) }
    }

    /// Tells everyone who waits, stores what has ended, and sets the timer.
    func changed() {
        let statuses = statuses()
        if statuses != published {
            published = statuses
            measuredAt = nil
            let line = ControlCoding.line(statuses)
            for watcher in watchers.values { watcher.yield(line) }
        }
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
        recordEnds()
        setTimer()
    }

    func statuses() -> [WorkloadStatus] {
        services.values.map(\.machine.status).sorted { $0.service < $1.service }
    }

    func add(_ pipe: OutputPipe) { pump?.add(pipe) }

    private func recordEnds() {
        guard !isEnding else { return }
        var hasChanged = false
        for (name, service) in services {
            guard let entry = entries[name] else { continue }
            // While a next generation is being stored, the machine still tells how the last one ended.
            let status = service.machine.status
            let ended = service.machine.hasEnded && status.generation == entry.workload.generation ? status : nil
            guard entry.ended != ended else { continue }
            entries[name]?.ended = ended
            hasChanged = true
        }
        if hasChanged { writer.saveSoon(state) }
    }

    var state: DesiredState { DesiredState(entries: entries.sorted { $0.key < $1.key }.map(\.value)) }

    private func setTimer() {
        let next = services.values.lazy.compactMap { $0.machine.nextDeadline }.min()
        guard next != timer.deadline else { return }
        pause?.cancel()
        pause = nil
        guard let number = timer.set(next), let next else { return }
        let length = max(next - now(), 0)
        // Ended by the next timer, or by `end()`.
        pause = Task { [weak self] in
            // A cancelled pause means that another timer took over.
            guard (try? await Task.sleep(for: .milliseconds(length))) != nil else { return }
            await self?.tick(number)
        }
    }

    private func tick(_ number: Int) {
        guard timer.fires(number) else { return }
        let now = now()
        for service in services.values where (service.machine.nextDeadline ?? .max) <= now {
            for action in service.machine.handle(.tick, at: now) { perform(action, service) }
        }
        changed()
    }

    /// Waits until `condition` holds; asked after every change.
    func until(_ condition: () -> Bool) async {
        while !condition() { await withCheckedContinuation { waiters.append($0) } }
    }

    // MARK: - Watching

    func watch() -> AsyncThrowingStream<[UInt8], any Error> {
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        let number = nextWatcher
        nextWatcher += 1
        watchers[number] = continuation
        continuation.onTermination = { [weak self] _ in
            // Ends by itself: one call of the actor.
            Task { await self?.unwatch(number) }
        }
        continuation.yield(ControlCoding.line(statuses()))
        return stream
    }

    private func unwatch(_ number: Int) { watchers[number] = nil }
}
