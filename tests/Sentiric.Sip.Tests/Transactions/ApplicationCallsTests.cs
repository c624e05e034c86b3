using System.Collections.Concurrent;

namespace Sentiric.Sip.Tests.Transactions;

public sealed class ApplicationCallsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Calls_run_in_order_on_a_thread_of_their_own()
    {
        using var calls = new ApplicationCalls(SipCallbacks.OwnThread, Fail);
        var threads = new ConcurrentQueue<(int Number, string? Thread)>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            calls.Post(() =>
            {
                threads.Enqueue((number, Thread.CurrentThread.Name));
                if (number == 99)
                {
                    done.SetResult();
                }
            });
        }

        calls.Wake();
        await done.Task.WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 100), threads.Select(one => one.Number));
        Assert.All(threads, one => Assert.Equal("sip-application", one.Thread));
    }

    [Fact]
    public async Task Nothing_runs_before_it_is_woken()
    {
        using var calls = new ApplicationCalls(SipCallbacks.OwnThread, Fail);
        // The first call shows that the thread sleeps again; the second then waits for somebody to wake it.
        await RunAsync(calls);
        int ran = 0;
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Post(() =>
        {
            ran++;
            second.SetResult();
        });
        calls.Wake();
        await second.Task.WaitAsync(Patience);
        Assert.Equal(1, ran);
    }

    [Fact]
    public async Task A_call_that_faults_is_told_and_the_next_one_runs()
    {
        var faults = new ConcurrentQueue<Exception>();
        using var calls = new ApplicationCalls(SipCallbacks.OwnThread, faults.Enqueue);
        calls.Post(() => throw new InvalidOperationException("broken"));
        await RunAsync(calls);
        Assert.Equal("broken", Assert.Single(faults).Message);
    }

    [Fact]
    public async Task A_call_that_blocks_delays_the_others_only_a_little()
    {
        using var calls = new ApplicationCalls(SipCallbacks.OwnThread, Fail);
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Post(() =>
        {
            blocked.SetResult();
            release.Wait();
        });
        calls.Wake();
        await blocked.Task.WaitAsync(Patience);
        // The own thread is taken: the thread pool runs it after a while.
        await RunAsync(calls);
        release.Set();
    }

    [Fact]
    public async Task Many_threads_may_call_at_once_and_every_call_runs_once()
    {
        using var calls = new ApplicationCalls(SipCallbacks.OwnThread, Fail);
        const int threads = 4, each = 5_000;
        int ran = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < each; i++)
            {
                calls.Post(() =>
                {
                    if (Interlocked.Increment(ref ran) == threads * each)
                    {
                        done.SetResult();
                    }
                });
                calls.Wake();
            }
        })));
        await done.Task.WaitAsync(Patience);
        Assert.Equal(threads * each, ran);
    }

    [Fact]
    public async Task After_its_end_calls_go_to_the_thread_pool()
    {
        var calls = new ApplicationCalls(SipCallbacks.OwnThread, Fail);
        await RunAsync(calls);
        int waited = 0;
        calls.Post(() => waited++);
        calls.Dispose();
        Assert.Equal(1, waited);
        await RunAsync(calls);
    }

    [Fact]
    public async Task On_the_thread_pool_nobody_needs_to_be_woken()
    {
        using var calls = new ApplicationCalls(SipCallbacks.ThreadPool, Fail);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Post(done.SetResult);
        await done.Task.WaitAsync(Patience);
    }

    private static async Task RunAsync(ApplicationCalls calls)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Post(done.SetResult);
        calls.Wake();
        await done.Task.WaitAsync(Patience);
    }

    private static void Fail(Exception fault) => Assert.Fail(fault.ToString());
}
