namespace Sentiric.Media.Tests;

public class QueueingPlayback
{
    private readonly PlaybackQueue queue = new();
    private readonly short[] frame = new short[160];

    [Fact]
    public void Playbacks_are_heard_one_after_the_other_without_a_seam()
    {
        var first = Say("a", 100, 1);
        Say("b", 220, 2);
        Assert.True(queue.Read(frame));
        Assert.Equal((1, 2), (frame[99], frame[100]));
        Assert.True(first.IsCompletedSuccessfully);
        Assert.True(queue.Read(frame));
        Assert.False(queue.Read(frame));
    }

    [Fact]
    public async Task Finished_means_that_everything_was_handed_out()
    {
        var finished = Say("a", 320, 1);
        queue.Read(frame);
        queue.Read(frame);
        Assert.False(finished.IsCompleted);
        queue.Read(frame);
        Assert.Equal(new PlaybackResult("a", false, 40, 40), await finished);
    }

    [Fact]
    public void A_voice_that_is_still_being_made_waits_for_a_whole_frame()
    {
        queue.Open("a");
        queue.Enqueue("a", new short[100]);
        Assert.False(queue.Read(frame));
        queue.Enqueue("a", new short[60]);
        Assert.True(queue.Read(frame));
        queue.Enqueue("a", new short[10]);
        queue.Complete("a");
        Assert.True(queue.Read(frame));
        Assert.Equal(0, queue.Where().WaitingMs);
    }

    [Fact]
    public void Clear_says_what_was_heard_and_forgets_the_rest()
    {
        Say("a", 1_600, 1);
        Say("b", 800, 2);
        for (var i = 0; i < 3; i++) queue.Read(frame);
        Assert.Equal(new PlaybackPosition("a", 60, 240), queue.Where());
        Assert.Equal([new PlaybackResult("a", true, 60, 200), new PlaybackResult("b", true, 0, 100)], queue.Clear());
        Assert.False(queue.Read(frame));
        Assert.Equal(new PlaybackPosition(null, 0, 0), queue.Where());
        Assert.Empty(queue.Clear());
    }

    [Fact]
    public void Marks_are_told_when_they_are_passed()
    {
        queue.Open("a");
        queue.Enqueue("a", new short[320]);
        queue.Mark("a", "first word");
        queue.Enqueue("a", new short[320]);
        queue.Mark("a", "second word");
        queue.Read(frame);
        Assert.False(queue.TryTakeReached(out _));
        queue.Read(frame);
        Assert.True(queue.TryTakeReached(out var mark));
        Assert.Equal(new MediaEvent.MarkReached("a", "first word", 40), mark);
        Assert.False(queue.TryTakeReached(out _));
    }

    [Fact]
    public void Doing_it_twice_and_coming_too_late_is_quiet()
    {
        var first = queue.Open("a");
        Assert.Same(first, queue.Open("a"));
        Assert.True(queue.Complete("a"));
        Assert.False(queue.Complete("a"));
        Assert.False(queue.Enqueue("a", new short[160]));
        Assert.False(queue.Enqueue("never opened", new short[160]));
    }

    [Fact]
    public void More_than_the_bound_is_refused()
    {
        queue.Open("a");
        Assert.True(queue.Enqueue("a", new short[PlaybackQueue.MaxQueuedSamples]));
        Assert.False(queue.Enqueue("a", new short[1]));
        for (var i = 1; i < PlaybackQueue.MaxPlaybacks; i++) Assert.NotNull(queue.Open($"{i}"));
        Assert.Null(queue.Open("one too many"));
    }

    private Task<PlaybackResult> Say(string id, int samples, short value)
    {
        var task = queue.Open(id);
        Assert.True(queue.Enqueue(id, Enumerable.Repeat(value, samples).ToArray()));
        Assert.True(queue.Complete(id));
        Assert.NotNull(task);
        return task;
    }
}
