/// Reads what happens to an environment by time: `autoShutdown…`, `schedule`, `ttl`.
struct LifecycleChecker {
    /// What is looked at to tell idleness is no finer than this; and a year.
    static let idleMinutes = 0.01...525_600.0
    static let defaultIdleMinutes = 30.0
    /// A second to ten years.
    static let ttlMilliseconds = 1000.0...315_360_000_000.0

    let findings: Findings

    func check(_ root: Fields) -> LifecycleSpec {
        let isEnabled = root.boolean("autoShutdownEnabled") ?? true
        let minutes = root.number("autoShutdownDelayMinutes", in: Self.idleMinutes) ?? Self.defaultIdleMinutes
        return LifecycleSpec(
            idleMilliseconds: isEnabled ? Int64((minutes * 60_000).rounded()) : nil, ttl: ttl(root),
            schedule: schedule(root))
    }

    private func ttl(_ root: Fields) -> TTLSpec? {
        guard let value = root.value("ttl") else { return nil }
        guard case .mapping = value.content else {
            return milliseconds(root, "ttl").map { TTLSpec(milliseconds: $0) }
        }
        guard let map = root.fields("ttl", known: Grammar.ttl.keys) else { return nil }
        if !map.has("duration") { map.missing("duration", hint: "duration: 24h") }
        let start: TTLSpec.Start = map.choice("from") ?? .createdAt
        return milliseconds(map, "duration").map { TTLSpec(milliseconds: $0, from: start) }
    }

    private func milliseconds(_ map: Fields, _ key: String) -> Int64? {
        guard let text = map.text(key) else { return nil }
        guard let length = LengthOfTime.milliseconds(text) else {
            let isNumber = Double(text) != nil
            findings.error(
                "invalid_duration",
                "`\(map.name(key))`: `\(shortened(text))` " + (isNumber ? "has no unit" : "is no duration"),
                at: map.at(key), hint: "such as 90m, 24h, 7d or P7D")
            return nil
        }
        guard Self.ttlMilliseconds.contains(length) else {
            findings.error(
                "out_of_range", "`\(map.name(key))` must be from a second to ten years", at: map.at(key))
            return nil
        }
        return Int64(length.rounded())
    }

    private func schedule(_ root: Fields) -> ScheduleSpec? {
        guard let fields = root.fields("schedule", known: Grammar.schedule.keys) else { return nil }
        if !fields.has("sleep"), !fields.has("wake") { fields.missing("sleep", hint: "sleep: 0 20 * * 1-5") }
        let (sleep, wake) = (cron(fields, "sleep"), cron(fields, "wake"))
        if let sleep, let wake, sleep == wake {
            findings.error(
                "schedule_conflict", "`schedule.sleep` and `schedule.wake` are the same times", at: fields.at("wake"))
        }
        return ScheduleSpec(sleep: sleep, wake: wake, timezone: timezone(fields) ?? "UTC")
    }

    private func timezone(_ fields: Fields) -> String? {
        guard let name = fields.nonEmptyText("timezone") else { return nil }
        guard ZoneName.isKnown(name) else {
            findings.error(
                "unknown_timezone", "there is no time zone `\(shortened(name))`", at: fields.at("timezone"),
                hint: ZoneName.hint(name))
            return nil
        }
        return name
    }

    private func cron(_ fields: Fields, _ key: String) -> CronExpression? {
        guard let text = fields.text(key) else { return nil }
        do {
            return try CronExpression(parsing: text)
        } catch {
            findings.error(
                "invalid_cron", "`\(fields.name(key))`: `\(shortened(text))` is no cron expression: \(error.reason)",
                at: fields.at(key), hint: "minute hour day month weekday, such as `0 20 * * 1-5`")
            return nil
        }
    }
}
