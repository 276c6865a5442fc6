import Foundation

/// What happens to an environment by time alone. ``init()`` is one that runs until somebody says otherwise.
package struct LifecycleSpec: Sendable, Hashable, Codable {
    /// How long nobody may have used it before it is stopped; `nil` for ever. Milliseconds.
    package var idleMilliseconds: Int64?
    package var ttl: TTLSpec?
    package var schedule: ScheduleSpec?

    package init(idleMilliseconds: Int64? = nil, ttl: TTLSpec? = nil, schedule: ScheduleSpec? = nil) {
        self.idleMilliseconds = idleMilliseconds
        self.ttl = ttl
        self.schedule = schedule
    }
}

/// How long an environment lives.
package struct TTLSpec: Sendable, Hashable, Codable {
    package enum Start: String, Sendable, Hashable, Codable, CaseIterable {
        case createdAt
        /// The last time that a person changed, stopped, started or extended it.
        case updatedAt
    }

    package var milliseconds: Int64
    package var from: Start

    package init(milliseconds: Int64, from: Start = .createdAt) {
        self.milliseconds = milliseconds
        self.from = from
    }
}

/// When an environment sleeps and wakes by itself; at least one of the two.
package struct ScheduleSpec: Sendable, Hashable, Codable {
    package enum Turn: String, Sendable, Hashable, Codable {
        case sleep, wake
    }

    package var sleep: CronExpression?
    package var wake: CronExpression?
    /// A name of the IANA time zone database.
    package var timezone: String

    package init(sleep: CronExpression?, wake: CronExpression?, timezone: String = "UTC") {
        self.sleep = sleep
        self.wake = wake
        self.timezone = timezone
    }

    /// UTC where this machine does not know a zone that another one accepted.
    package var zone: TimeZone { TimeZone(identifier: timezone) ?? .gmt }

    /// The latest turn that is not after `time`, waking where both come at once; milliseconds since 1970.
    package func last(notAfter time: Int64) -> (turn: Turn, time: Int64)? {
        let zone = zone
        let slept = sleep?.last(notAfter: time, in: zone)
        let woke = wake?.last(notAfter: time, in: zone)
        if let woke, woke >= slept ?? woke { return (.wake, woke) }
        return slept.map { (.sleep, $0) }
    }

    /// The time of the next turn after `time`; milliseconds since 1970.
    package func next(after time: Int64) -> Int64? {
        let zone = zone
        return [sleep?.next(after: time, in: zone), wake?.next(after: time, in: zone)].compactMap { $0 }.min()
    }
}
