using System.Net;
using Sentiric.Testing;

namespace Sentiric.Media.Tests;

/// <summary>Codecs, comfort noise, keys in the audio, and what is mixed into what a leg says.</summary>
public sealed class WhatALegHears
{
    private static readonly IPAddress Host = IPAddress.Parse("192.0.2.10");

    [Fact]
    public void G722_is_heard_and_spoken_on_a_clock_of_8_kHz()
    {
        var leg = new VirtualLeg(audio: With(AudioCodec.G722, 9, telephoneEvent: 101));
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        leg.Leg.Playback.Open("p");
        leg.Leg.Playback.Enqueue("p", voice);
        leg.Leg.Playback.Complete("p");
        var (encoder, up, wide) = (new G722Encoder(), new Resampler(8_000, 16_000), new short[321]);
        for (var i = 0; i < 100; i++)
        {
            var packet = new byte[RtpHeader.Size + 160];
            RtpHeader.Write(packet, i == 0, 9, (ushort)i, (uint)(i * 160), VirtualLeg.RemoteSsrc);
            var written = up.Process(voice.AsSpan(i * 160, 160), wide);
            Assert.Equal(160, encoder.Encode(wide.AsSpan(0, written), packet.AsSpan(RtpHeader.Size)));
            leg.ReceiveBytes(packet);
            leg.Tick();
        }
        leg.Tick(10);
        var (correlation, _) = Signals.Find(voice.AsSpan(1_600, 8_000), leg.Heard.ToArray());
        Assert.True(correlation > 0.98, $"heard: {correlation}");

        var sent = leg.SentHeaders();
        Assert.All(sent, h => Assert.Equal((9, 160), (h.PayloadType, h.PayloadLength)));
        Assert.All(sent.Zip(sent.Skip(1)), pair => Assert.Equal(160u, pair.Second.Timestamp - pair.First.Timestamp));
        var (decoder, down, said) = (new G722Decoder(), new Resampler(16_000, 8_000), new List<short>());
        foreach (var packet in leg.SentRtp)
        {
            var (pcm, narrow) = (new short[320], new short[161]);
            decoder.Decode(packet.AsSpan(RtpHeader.Size), pcm);
            said.AddRange(narrow[..down.Process(pcm, narrow)]);
        }
        (correlation, _) = Signals.Find(voice.AsSpan(1_600, 8_000), said.ToArray());
        Assert.True(correlation > 0.98, $"said: {correlation}");
    }

    [Fact]
    public void Comfort_noise_is_heard_in_the_pauses_and_ends_with_speech()
    {
        var leg = new VirtualLeg();
        var sequence = 0;
        for (; sequence < 20; sequence++)
        {
            leg.ReceiveAudio(sequence, 3_000);
            leg.Tick();
        }
        var packet = new byte[RtpHeader.Size + 1];
        RtpHeader.Write(packet, false, ComfortNoise.PayloadType, (ushort)sequence, (uint)(sequence * 160), VirtualLeg.RemoteSsrc);
        packet[RtpHeader.Size] = 45;
        leg.ReceiveBytes(packet);
        leg.Heard.Clear();
        leg.Tick(50);
        var pause = leg.Heard.Skip(25 * 160).ToArray();
        Assert.Equal(-45, 20 * Math.Log10(Signals.Rms(pause) / short.MaxValue), 1.5);
        Assert.Equal(0, leg.Leg.Quality().Lost);

        leg.Heard.Clear();
        for (var i = 0; i < 40; i++)
        {
            sequence++;
            leg.Receive(sequence, (uint)((sequence + 50) * 160), Constant(3_000));
            leg.Tick();
        }
        Assert.All(leg.Heard.TakeLast(1_600), s => Assert.Equal(VirtualLeg.Through(3_000), s));
    }

    [Fact]
    public void Comfort_noise_of_a_stranger_is_not_heard()
    {
        var leg = new VirtualLeg();
        for (var i = 0; i < 20; i++)
        {
            leg.ReceiveAudio(i, 0);
            leg.Tick();
        }
        var packet = new byte[RtpHeader.Size + 1];
        RtpHeader.Write(packet, false, ComfortNoise.PayloadType, 20, 3_200, VirtualLeg.RemoteSsrc);
        packet[RtpHeader.Size] = 20;
        leg.ReceiveBytes(packet, VirtualLeg.Stranger);
        leg.Heard.Clear();
        leg.Tick(60);
        Assert.True(Signals.Rms(leg.Heard.ToArray()) < 20, $"{Signals.Rms(leg.Heard.ToArray())}");
    }

    [Theory]
    [InlineData(null, "5#")]     // no telephone events were agreed on: keys are heard in the audio
    [InlineData(101, "")]        // they were: a key would be told twice
    public void Keys_in_the_audio_count_where_no_events_can_come(int? telephoneEvent, string expected)
    {
        var leg = new VirtualLeg(audio: With(AudioCodec.Pcma, 8, telephoneEvent));
        short[] line = [.. Pressed(770, 1_336), .. new short[800], .. Pressed(941, 1_477), .. new short[1_600]];
        for (var i = 0; i < line.Length / 160; i++)
        {
            leg.Receive(i, (uint)(i * 160), line.AsSpan(i * 160, 160));
            leg.Tick();
        }
        leg.Tick(10);
        Assert.Equal(expected, string.Concat(leg.TakeEvents().OfType<MediaEvent.DtmfPressed>().Select(d => d.Digit)));
    }

    [Fact]
    public void Stages_stack_music_yields_to_speech_and_a_whisper_lies_on_both()
    {
        var leg = new VirtualLeg();
        var music = new MusicStage(Tone.Sine(400, TimeSpan.FromMilliseconds(50)));
        var relay = new RelayStage();
        leg.Leg.Stages = [music, relay];
        leg.Tick(50);
        var (hold, _) = Signals.Find(Tone.Sine(400, TimeSpan.FromMilliseconds(200)), leg.SentPcm());
        Assert.True(hold > 0.99, $"music {hold}");

        var voice = Signals.Voice(TimeSpan.FromSeconds(1));
        leg.SentRtp.Clear();
        leg.Leg.Playback.Open("p");
        leg.Leg.Playback.Enqueue("p", voice);
        leg.Leg.Playback.Complete("p");
        leg.Tick(50);
        var (speech, _) = Signals.Find(voice.AsSpan(0, 4_000), leg.SentPcm());
        Assert.True(speech > 0.99, $"speech alone {speech}");

        leg.SentRtp.Clear();
        music.IsOn = false;
        var whisper = Tone.Sweep(500, 3_000, TimeSpan.FromSeconds(1), 0.2);
        for (var i = 0; i < 50; i++)
        {
            relay.Bring(whisper.AsSpan(i * 160, 160));
            leg.Tick();
        }
        var (whispered, at) = Signals.Find(whisper.AsSpan(0, 4_000), leg.SentPcm());
        Assert.True(whispered > 0.99, $"whisper {whispered}");
        Assert.InRange(at, 0, 320);
    }

    [Fact]
    public void A_relay_keeps_no_more_than_its_bound_and_never_wraps_around()
    {
        var relay = new RelayStage();
        var frame = new short[160];
        for (short i = 0; i < 100; i++) relay.Bring(Constant(i));
        Assert.True(relay.Process(frame, false));
        Assert.True(frame[0] > 90, $"an old frame: {frame[0]}");
        Assert.True(relay.Dropped > 80);
        var loud = new RelayStage();
        Array.Fill(frame, (short)32_000);
        loud.Bring(Constant(32_000));
        Assert.True(loud.Process(frame, true));
        Assert.Equal(32_000, frame[0]); // one frame is not enough to begin
        loud.Bring(Constant(32_000));
        loud.Process(frame, true);
        Assert.Equal(short.MaxValue, frame[0]);
        var duck = new DuckStage { IsOn = true };
        Array.Fill(frame, (short)1_000);
        Assert.True(duck.Process(frame, true));
        Assert.Equal(300, frame[7]);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_tick_with_G722_noise_keys_and_stages()
    {
        var leg = new VirtualLeg(audio: With(AudioCodec.G722, 9, null));
        leg.Leg.Stages = [new MusicStage(Tone.Sine(400, TimeSpan.FromMilliseconds(50))), new RelayStage(), new DuckStage { IsOn = true }];
        var voice = new LegVoice();
        voice.Use(AudioCodec.G722);
        var (pcm, octets) = (new short[160], new byte[160]);
        voice.Encode(pcm, octets);
        voice.Decode(octets, pcm);
        voice.HearKey(pcm);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 50; i++)
            {
                voice.Encode(pcm, octets);
                voice.Decode(octets, pcm);
                voice.HearKey(pcm);
                foreach (var stage in leg.Leg.Stages) stage.Process(pcm, false);
            }
        });
    }

    private static NegotiatedAudio With(AudioCodec codec, int payloadType, int? telephoneEvent) => new(
        new IPEndPoint(Host, 4_000), new IPEndPoint(Host, 4_001), codec, payloadType, telephoneEvent, MediaDirection.SendRecv, RtcpMux: false);

    private static short[] Constant(short value)
    {
        var frame = new short[160];
        Array.Fill(frame, value);
        return frame;
    }

    private static short[] Pressed(double row, double column) => [.. Enumerable.Range(0, 800).Select(i =>
        (short)(4_000 * Math.Sin(2 * Math.PI * row * i / 8_000) + 4_000 * Math.Sin(2 * Math.PI * column * i / 8_000)))];
}
