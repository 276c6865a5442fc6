import Blueprints

extension BlueprintSpec {
    /// Every service as a flat record, by name.
    package var serviceFields: [String: ServiceFields] {
        Dictionary(services.map { ($0.name, ServiceFields($0)) }, uniquingKeysWith: { $1 })
    }

    /// What the Blueprint says of the environment itself, as text by path. Not its name, which is whose it is, nor its mode and
    /// its parent, which do not change.
    package var ownFields: [String: String] {
        var fields: [String: String] = [:]
        fields["description"] = description
        for (key, value) in labels { fields["labels.\(key)"] = value }
        if runtime != .auto { fields["runtime"] = runtime.rawValue }
        if repair != .auto { fields["repair"] = repair.rawValue }
        if let residency {
            if !residency.allow.isEmpty { fields["residency.allow"] = residency.allow.joined(separator: ", ") }
            if !residency.deny.isEmpty { fields["residency.deny"] = residency.deny.joined(separator: ", ") }
        }
        let times = lifecycle
        fields["autoShutdownDelayMinutes"] = times.idleMilliseconds.map { "\(Double($0) / 60_000)" } ?? "never"
        fields["ttl"] = times.ttl.map { "\($0.milliseconds / 1000) s from \($0.from.rawValue)" }
        if let schedule = times.schedule {
            fields["schedule.sleep"] = schedule.sleep?.text
            fields["schedule.wake"] = schedule.wake?.text
            fields["schedule.timezone"] = schedule.timezone
        }
        addRouting(&fields)
        return fields
    }

    private func addRouting(_ fields: inout [String: String]) {
        fields["routing.headerName"] = routing.headerName
        fields["routing.propagateHeader"] = "\(routing.propagateHeader)"
        fields["routing.onUnknownContext"] = routing.onUnknownContext.rawValue
        fields["routing.onLeak"] = routing.onLeak.rawValue
        fields["routing.attribution"] = routing.attribution.rawValue
        fields["routing.carry"] = routing.carry.rawValue
    }

    /// How this differs from an earlier or other spec, field by field.
    package func difference(from other: BlueprintSpec) -> FieldDifference {
        // The same times may be written in more than one way.
        let own = FieldDifference.changes(from: other.ownFields, to: ownFields).filter {
            !$0.path.hasPrefix("schedule.") || other.lifecycle.schedule != lifecycle.schedule
        }
        return FieldDifference.between(other.serviceFields, serviceFields, own: own)
    }
}
