import API
import APIClient

/// Follows an environment's events until a goal is reached, can no longer be reached, or the person has waited enough.
///
/// A lost connection is taken up again for as long as ``patience``: the server may be restarting, and what it does is
/// durable.
struct Watch: Sendable {
    enum Outcome: Sendable {
        case reached(EventView?)
        case failed(EventView)
        case timedOut(EventView?)
        case interrupted(EventView?)
    }

    /// How long a server may be away.
    static let patience = Duration.seconds(60)

    let client: APIClient
    let environment: String
    let goal: WatchGoal
    var limit: Duration?
    /// Starts the local server where it does not run any more.
    var revive: (@Sendable () async throws -> Void)?

    func run(_ display: inout ProgressDisplay) async throws -> Outcome {
        let inbox = WatchInbox()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await follow(inbox) }
            group.addTask { await every(.milliseconds(100), inbox) }
            if let limit {
                group.addTask {
                    try await ContinuousClock().sleep(for: limit)
                    inbox.end(.timedOut)
                }
            }
            var latest: EventView?
            for await _ in inbox.arrivals {
                if let outcome = try decide(inbox.take(), &latest, &display) { return outcome }
            }
            throw CancellationError()
        }
    }

    private func decide(
        _ contents: WatchInbox.Contents, _ latest: inout EventView?, _ display: inout ProgressDisplay
    ) throws -> Outcome? {
        for event in contents.events {
            latest = event
            display.show(event)
            switch goal.verdict(on: event) {
            case .waiting: break
            case .reached: return .reached(event)
            case .failed: return .failed(event)
            }
        }
        for note in contents.notes { display.note(note) }
        switch contents.end {
        case nil:
            if contents.hasTicked { display.tick() }
            return nil
        case .absent(let failure):
            guard goal.isReachedByAbsence else { throw failure }
            return .reached(latest)
        case .timedOut: return .timedOut(latest)
        case .interrupted: return .interrupted(latest)
        case .broken(let error): throw error
        }
    }

    private func every(_ period: Duration, _ inbox: WatchInbox) async {
        // Sleeping ends early only when the watching is over.
        while (try? await ContinuousClock().sleep(for: period)) != nil {
            if Interrupts.haveCome() { inbox.end(.interrupted) } else { inbox.tick() }
        }
    }

    /// What keeps the server from coming back, where somebody here is to start it.
    private func revived() async -> (any Error)? {
        do {
            try await revive?()
            return nil
        } catch {
            return error
        }
    }

    private func follow(_ inbox: WatchInbox) async {
        let clock = ContinuousClock()
        var lostAt: ContinuousClock.Instant?
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            var problem: any Error = ConnectionFailure(
                .broken, server: client.address.written, "the server ended the stream of events")
            do {
                for try await event in try await client.events(of: environment) {
                    lostAt = nil
                    pause = .milliseconds(100)
                    inbox.put(event)
                }
            } catch let failure as APIFailure where failure.code == .notFound {
                inbox.end(.absent(failure))
                return
            } catch let failure as APIFailure where CommandStatus(failure) != .tryAgain {
                inbox.end(.broken(failure))
                return
            } catch {
                problem = error
            }
            let now = clock.now
            if lostAt == nil {
                lostAt = now
            } else {
                if pause == .milliseconds(200) {
                    // The first attempt to come back failed as well, so there is something to tell.
                    inbox.put(note: "the server is away; waiting for it to come back …")
                }
                problem = await revived() ?? problem
            }
            if let lostAt, now - lostAt > Self.patience {
                inbox.end(.broken(problem))
                return
            }
            // Sleeping ends early only when the watching is over, which the loop's condition sees.
            try? await clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(2))
        }
    }
}
