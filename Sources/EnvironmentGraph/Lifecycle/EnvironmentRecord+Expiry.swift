import Blueprints

/// What must be remembered of an environment's end besides its time. Milliseconds since 1970, UTC.
struct ExpiryNotes: Sendable, Hashable, Codable {
    /// When the end was set; the time from then to the end is its ttl.
    var setAt: Int64
    /// When it was warned of.
    var warnedAt: Int64?
}

extension EnvironmentRecord {
    /// Gives it another end (`nil`: none), of which nobody was warned yet.
    package mutating func expire(at end: Int64?, setAt now: Int64) {
        expiresAt = end
        expiry = end == nil ? nil : ExpiryNotes(setAt: now)
    }

    /// The end that its own Blueprint asks for, from when it was made or changed: what a create does (`isNew`), and where
    /// the ttl counts from the last change (``TTLSpec/Start/updatedAt``) every later command of a person. That neither
    /// takes back what it was extended to, nor gives an end to what is kept for ever.
    package mutating func renewExpiry(now: Int64, isNew: Bool = false) {
        guard let ttl = spec.lifecycle.ttl else { return }
        let end = now + ttl.milliseconds
        guard isNew || ttl.from == .updatedAt && expiresAt.map({ $0 < end }) ?? false else { return }
        expire(at: end, setAt: now)
    }

    package mutating func noteExpiryWarning(at now: Int64) { expiry?.warnedAt = now }

    /// When its end was set.
    package var expirySetAt: Int64 { expiry?.setAt ?? createdAt }

    package var expiryWarnedAt: Int64? { expiry?.warnedAt }

    /// How long before its end it is warned of: a tenth of the ttl, but 5 minutes at least and 24 hours at most, and never
    /// more than the ttl itself. Between a warning and the deletion so long always passes. Milliseconds.
    package var expiryNotice: Int64? {
        guard let expiresAt else { return nil }
        let span = max(0, expiresAt - expirySetAt)
        return min(max(span / 10, 300_000), 86_400_000, span)
    }
}
