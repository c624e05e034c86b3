namespace Sentiric.Speech.Tests;

public class SpeechWorkerPoolTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Work_runs_on_a_speech_thread_and_gives_its_result()
    {
        using var pool = new SpeechWorkerPool(1);
        Assert.Equal("speech-0", await pool.RunAsync(() => Thread.CurrentThread.Name, CancellationToken.None));
    }

    [Fact]
    public async Task A_failure_reaches_the_caller_and_the_worker_goes_on()
    {
        using var pool = new SpeechWorkerPool(1);
        await Assert.ThrowsAsync<FormatException>(() => pool.RunAsync<int>(() => throw new FormatException(), CancellationToken.None));
        Assert.Equal(5, await pool.RunAsync(() => 5, CancellationToken.None));
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once()
    {
        using var pool = new SpeechWorkerPool(1, queueLimit: 2);
        using var release = new ManualResetEventSlim();
        var busy = new TaskCompletionSource();
        var running = pool.RunAsync(() => Hold(busy, release), CancellationToken.None);
        await busy.Task.WaitAsync(Patience);
        var waiting = new[] { pool.RunAsync(() => 1, CancellationToken.None), pool.RunAsync(() => 2, CancellationToken.None) };

        Assert.False(pool.TryPost(() => { }));
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => pool.RunAsync(() => 3, CancellationToken.None));
        Assert.Equal(SpeechFault.Overloaded, error.Fault);

        release.Set();
        Assert.True(await running.WaitAsync(Patience));
        int[] results = await Task.WhenAll(waiting).WaitAsync(Patience);
        Assert.Equal([1, 2], results);
    }

    [Fact]
    public void A_closed_pool_takes_nothing_more()
    {
        var pool = new SpeechWorkerPool(1);
        pool.Dispose();
        pool.Dispose();
        Assert.False(pool.TryPost(() => { }));
    }

    private static bool Hold(TaskCompletionSource busy, ManualResetEventSlim release)
    {
        busy.SetResult();
        return release.Wait(Patience);
    }
}
