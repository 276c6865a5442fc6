/// Lets so many through at once. Swift Testing starts every test of a module at the same time, and a machine with two cores
/// that runs seventy servers at once proves nothing about any of them.
package actor Turnstile {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ width: Int) { free = width }

    package func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    package func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
