/// When a supervisor is to be woken next: one pause at a time, each with a number.
///
/// A pause that has just ended may be overtaken by an event that sets another one. Without the numbers it would wake the
/// supervisor all the same and take the newer pause for its own; both would go on from there, and every such meeting
/// would leave one more that ticks beside the others for ever.
struct WakeTimer: Sendable, Hashable {
    /// `nil` while nothing is waited for.
    private(set) var deadline: Int64?
    private var number = 0

    /// Another deadline; the pause before counts no more.
    ///
    /// - Returns: the number of the pause that is to begin; `nil` where none is.
    mutating func set(_ next: Int64?) -> Int? {
        deadline = next
        number += 1
        return next == nil ? nil : number
    }

    /// A pause has ended.
    ///
    /// - Returns: whether it is the present one; nothing is waited for then, until the next ``set(_:)``.
    mutating func fires(_ ended: Int) -> Bool {
        guard ended == number, deadline != nil else { return false }
        deadline = nil
        return true
    }
}
