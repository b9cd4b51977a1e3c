CREATE SCHEMA modelhop;
COMMENT ON SCHEMA modelhop IS 'Deep-learning model selection by model hopper parallelism';
GRANT USAGE ON SCHEMA modelhop TO PUBLIC;
