import API
import Testing

@testable import Commands

/// A stopped terminal lets things pile up.
@Suite struct WatchInboxTests {
    @Test func ticksDropNoEvent() {
        let inbox = WatchInbox()
        inbox.put(Samples.event("succeeded", []))
        for _ in 0..<10_000 { inbox.tick() }
        let contents = inbox.take()
        #expect(contents.events == [Samples.event("succeeded", [])])
        #expect(contents.hasTicked)
        #expect(inbox.take().events.isEmpty)
        #expect(!inbox.take().hasTicked)
    }

    @Test func theNewestEventsAreKept() {
        let inbox = WatchInbox()
        for number in 0..<1000 { inbox.put(Samples.event("running", id: "exe-\(number)", [])) }
        let ids = inbox.take().events.compactMap(\.execution?.id)
        #expect(ids == (1000 - WatchInbox.eventLimit..<1000).map { "exe-\($0)" })
    }

    @Test func remarksAreBounded() {
        let inbox = WatchInbox()
        for number in 0..<1000 { inbox.put(note: "\(number)") }
        #expect(inbox.take().notes == (0..<WatchInbox.noteLimit).map(String.init))
    }

    @Test func theFirstEndStaysAndNothingFollowsIt() {
        let inbox = WatchInbox()
        inbox.put(Samples.event("running", []))
        inbox.end(.timedOut)
        inbox.end(.interrupted)
        inbox.put(Samples.event("succeeded", []))
        for _ in 0..<2 {
            guard case .timedOut = inbox.take().end else {
                Issue.record("another end")
                return
            }
        }
        #expect(inbox.take().events.isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func whatCameBeforeAnybodyLookedIsToldOnce() async {
        let inbox = WatchInbox()
        for _ in 0..<100 { inbox.put(Samples.event("running", [])) }
        for await _ in inbox.arrivals { break }
        #expect(inbox.take().events.count == 100)
    }
}
