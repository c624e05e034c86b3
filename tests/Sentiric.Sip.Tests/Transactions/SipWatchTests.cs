namespace Sentiric.Sip.Tests.Transactions;

public sealed class SipWatchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void It_rings_once_for_each_alarm_and_the_last_time_counts()
    {
        using var rung = new SemaphoreSlim(0);
        using var watch = new SipWatch(() => rung.Release());
        watch.SetAlarm(TimeSpan.FromHours(1));
        watch.SetAlarm(TimeSpan.Zero);
        Assert.True(rung.Wait(Patience), "The alarm did not ring.");
        watch.SetAlarm(TimeSpan.FromMilliseconds(20));
        Assert.True(rung.Wait(Patience), "The second alarm did not ring.");
        Assert.Equal(0, rung.CurrentCount);
    }

    [Fact]
    public void An_alarm_that_is_set_while_it_rings_is_not_lost()
    {
        using var rung = new SemaphoreSlim(0);
        SipWatch? watch = null;
        int left = 100;
        using (watch = new SipWatch(() =>
        {
            rung.Release();
            if (--left > 0)
            {
                watch!.SetAlarm(TimeSpan.Zero);
            }
        }))
        {
            watch.SetAlarm(TimeSpan.Zero);
            for (int i = 0; i < 100; i++)
            {
                Assert.True(rung.Wait(Patience), $"Alarm {i} did not ring.");
            }
        }
    }

    [Fact]
    public void A_thread_that_comes_back_in_time_may_be_lent_again()
    {
        using var watch = new SipWatch(() => { });
        SipWatch.Loan loan = watch.Lend(new Lender());
        Assert.True(watch.TryBegin(loan));
        // The machine may put this thread aside for longer than the watch is patient.
        bool inTime = watch.TryGiveBack(loan);
        Assert.Equal(inTime, watch.MayLend);
    }

    [Fact]
    public void A_thread_that_stays_away_is_replaced_once()
    {
        using var watch = new SipWatch(() => { });
        var lender = new Lender();
        SipWatch.Loan loan = watch.Lend(lender);
        Assert.True(watch.TryBegin(loan));
        Assert.True(lender.Replaced.Wait(Patience), "Nobody took the place of the thread.");
        Assert.Same(Thread.CurrentThread, lender.Kept);
        Assert.False(watch.MayLend);
        Assert.False(watch.TryBegin(loan));
        Assert.False(watch.TryGiveBack(loan));
        // An application that kept one thread gets no other for a while.
        Assert.False(watch.MayLend);
        Assert.Equal(0, lender.Replaced.CurrentCount);
    }

    private sealed class Lender : ILender
    {
        public SemaphoreSlim Replaced { get; } = new(0);

        public Thread? Kept { get; private set; }

        public void StandIn(Thread kept)
        {
            Kept = kept;
            Replaced.Release();
        }
    }
}
