"""smoke"""
def test_up(instance): 
    assert instance.is_ready("nats")
